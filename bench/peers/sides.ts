/** The sides of the comparison as command lines. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { requireCommand } from '../../test/services/local-process.ts';
import type { PeerOptions } from './workloads.ts';

export const sides = ['voltstream', 'kafka-streams', 'kafka-streams-tuned'] as const;
export type Side = (typeof sides)[number];

export interface CommandLine {
  readonly command: string;
  readonly arguments: readonly string[];
}

const javaHeap = '2g';
/** What to know of each side to judge its figures. */
export const sideTexts: Readonly<Record<Side, string>> = {
  voltstream: 'one process, Node with --max-semi-space-size=64, state in Redis (append-only file, everysec)',
  'kafka-streams': `4.2.0, one thread, exactly_once_v2, RocksDB, documented defaults but for the commit interval; Java 17, G1, heap ${javaHeap}`,
  'kafka-streams-tuned': `the same with in-memory stores, 256 MiB record cache, 10,000 records a poll, fetches of 8 MiB, batches of 512 KiB; heap ${javaHeap}`,
};

const target = resolve(import.meta.dirname, '../../.voltstream/peers/kafka-streams');

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

export function commandLineOf(side: Side, options: Omit<PeerOptions, 'tuned'>, profileFolder: string | null): CommandLine {
  const told = { ...options, tuned: side === 'kafka-streams-tuned' };
  if (side === 'voltstream') {
    const profile = profileFolder === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
    return { command: process.execPath, arguments: ['--max-semi-space-size=64', ...profile, join(import.meta.dirname, 'voltstream-process.ts'), JSON.stringify(told)] };
  }
  return { command: 'java', arguments: javaArguments('Peer', options.folder, told) };
}

/** A program of `kafka-streams/`, told what to do as JSON. */
export function javaArguments(program: string, folder: string, options: object): readonly string[] {
  const jars = readdirSync(join(target, 'dependency')).map((name) => join(target, 'dependency', name));
  return [
    `-Xms${javaHeap}`, `-Xmx${javaHeap}`, '-XX:+UseG1GC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', `-Djava.io.tmpdir=${folder}`,
    '-cp', [join(target, 'classes'), ...jars].join(delimiter), program, JSON.stringify(options),
  ];
}
