/** The sides of the comparison as command lines. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { requireCommand } from '../../test/services/local-process.ts';
import type { PeerOptions, Workload } from './workloads.ts';

export const sides = ['voltstream', 'kafka-streams', 'kafka-streams-tuned', 'quix-streams'] as const;
export type Side = (typeof sides)[number];
/** Quix Streams takes a hundred times as long; it is asked for by name. */
export const usualSides: readonly Side[] = ['voltstream', 'kafka-streams', 'kafka-streams-tuned'];

export function takesPart(side: Side, workload: Workload): boolean {
  return side !== 'quix-streams' || workload === 'a';
}

export interface CommandLine {
  readonly command: string;
  readonly arguments: readonly string[];
}

const javaHeap = '2g';
const quixVersion = '3.28.1';
/** What to know of each side to judge its figures. */
export const sideTexts: Readonly<Record<Side, string>> = {
  voltstream: 'one process, Node with --max-semi-space-size=64, state in Redis (append-only file, everysec)',
  'kafka-streams': `4.2.0, one thread, exactly_once_v2, RocksDB, documented defaults but for the commit interval; Java 17, G1, heap ${javaHeap}`,
  'kafka-streams-tuned': 'the same with in-memory stores, 256 MiB record cache (sessions: RocksDB, no cache; each was tried, see docs/comparison.md), '
    + '10,000 records a poll, fetches of 8 MiB, batches of 512 KiB',
  'quix-streams': `${quixVersion} (Python), exactly-once, RocksDB, changelog topics, defaults but for the commit interval; every update goes out, it has no record cache`,
};

const folder = resolve(import.meta.dirname, '../../.voltstream/peers');
const target = join(folder, 'kafka-streams');

const project = join(import.meta.dirname, 'kafka-streams');
/** What was built last, as a hash of all that it is made of. */
const stamp = join(target, 'built-from');

function sourcesHash(): string {
  const avro = join(import.meta.dirname, '../../schemas/avro');
  const files = [...readdirSync(project).toSorted().map((name) => join(project, name)), join(avro, 'charging-event.v1.avsc'), join(avro, 'station.v1.avsc')];
  const hash = createHash('sha256');
  for (const file of files.filter((one) => /\.(?:java|xml|avsc)$/.test(one))) hash.update(readFileSync(file));
  return hash.digest('hex');
}

/** Unless nothing has changed since: a build takes away the classes of those who run. Maven fetches Kafka Streams at the first time. */
export function buildKafkaStreams(): void {
  const hash = sourcesHash();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  requireCommand('javac', '-version', 'install a JDK of 17 or newer (Debian: apt-get install default-jdk-headless)');
  requireCommand('mvn', '--version', 'install Maven 3 (Debian: apt-get install maven)');
  const { status, stdout, stderr } = spawnSync('mvn', ['-B', '-q', `-Dpeer.target=${target}`, 'package'], { cwd: project, encoding: 'utf8' });
  if (status !== 0) throw new Error(`Maven could not build bench/peers/kafka-streams:\n${stdout}${stderr}`);
  writeFileSync(stamp, hash);
}

/** A virtual environment of Python with Quix Streams, once: pip fetches it. */
export function installQuixStreams(): void {
  const environment = join(folder, 'quix');
  const done = join(environment, `quixstreams-${quixVersion}`);
  if (existsSync(done)) return;
  requireCommand('python3', '--version', 'install Python 3.9 or newer with venv (Debian: apt-get install python3-venv)');
  for (const [command, ...list] of [['python3', '-m', 'venv', environment], [join(environment, 'bin/pip'), 'install', '--quiet', `quixstreams==${quixVersion}`]] as const) {
    const { status, stdout, stderr } = spawnSync(command, list, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`Quix Streams could not be installed (${command} ${list.join(' ')}):\n${stdout}${stderr}`);
  }
  writeFileSync(done, '');
}

export function prepare(chosen: readonly Side[]): void {
  if (chosen.includes('kafka-streams') || chosen.includes('kafka-streams-tuned')) buildKafkaStreams();
  if (chosen.includes('quix-streams')) installQuixStreams();
}

export function commandLineOf(side: Side, options: Omit<PeerOptions, 'tuned'>, profileFolder: string | null): CommandLine {
  const told = { ...options, tuned: side === 'kafka-streams-tuned' };
  if (side === 'voltstream') {
    const profile = profileFolder === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
    return { command: process.execPath, arguments: ['--max-semi-space-size=64', ...profile, join(import.meta.dirname, 'voltstream-process.ts'), JSON.stringify(told)] };
  }
  if (side === 'quix-streams') return { command: join(folder, 'quix/bin/python'), arguments: [join(import.meta.dirname, 'quix-streams/peer.py'), JSON.stringify(told)] };
  return { command: 'java', arguments: javaArguments('Peer', options.folder, told) };
}

/** A program of `kafka-streams/`, told what to do as JSON. */
export function javaArguments(program: string, temporary: string, options: object): readonly string[] {
  const jars = readdirSync(join(target, 'dependency')).map((name) => join(target, 'dependency', name));
  return [
    `-Xms${javaHeap}`, `-Xmx${javaHeap}`, '-XX:+UseG1GC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', `-Djava.io.tmpdir=${temporary}`,
    '-cp', [join(target, 'classes'), ...jars].join(delimiter), program, JSON.stringify(options),
  ];
}
