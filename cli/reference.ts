import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadReference } from '../charging/reference/load-reference.ts';
import type { ReferenceLoad, SnapshotOutcome } from '../charging/reference/load-reference.ts';
import { referenceFormats } from '../charging/reference/formats/formats.ts';
import { readReferenceFile } from '../charging/reference/reference-file.ts';
import type { ReferenceFile } from '../charging/reference/reference-file.ts';
import { chargingTopics } from '../charging/topics.ts';
import { VoltstreamError } from '../errors.ts';
import { loadConfiguration } from '../runtime/configuration.ts';
import type { Configuration, ConfigurationSources } from '../runtime/configuration.ts';
import { logAndRegistryOf } from '../runtime/ports.ts';
import { thousands } from './progress.ts';
import { StopSignals } from './stop-signals.ts';

export interface ReferenceOptions {
  readonly action: string;
  readonly format: string | null;
  readonly validFrom: string | null;
  readonly withdraw: boolean;
  readonly dryRun: boolean;
  /** Changes of each snapshot that are shown. */
  readonly show: string;
  readonly json: boolean;
}

/**
 * Loads reference data from files into its topics, or lists the forms of files. Works beside a running process, as `ingest` does: the
 * log takes appends of several.
 */
export async function reference(sources: ConfigurationSources, files: readonly string[], options: ReferenceOptions): Promise<void> {
  if (options.action === 'formats') {
    process.stdout.write(referenceFormats.map(({ name, kind, title }) => `${name.padEnd(18)} ${kind.padEnd(9)} ${title}\n`).join(''));
    return;
  }
  if (options.action !== 'load') throw wrongUse('load or formats', options.action);
  if (files.length === 0) throw wrongUse('at least one file', 'none');
  const show = Number(options.show);
  if (!Number.isInteger(show) || show < 0) throw wrongUse('a whole number of changes to show', options.show);
  const validFromMs = validFromOf(options.validFrom);
  const configuration = loadConfiguration(sources);
  const progress = new LoadLines();
  const read: ReferenceFile[] = [];
  for (const file of files) {
    progress.show({ phase: 'read', what: file, done: 0, total: 0 });
    read.push(await readReferenceFile(file));
  }
  const stop = new StopSignals(process.stderr);
  try {
    const outcomes = await withLog(configuration, options.dryRun, (ports) => loadReference({
      ...ports, files: read, format: options.format, nowMs: Date.now(), validFromMs, withdraw: options.withdraw, dryRun: options.dryRun,
      signal: stop.signal, onProgress: (at) => progress.show(at), retrying: ({ message }) => progress.tell(message),
    }));
    progress.end();
    process.stdout.write(options.json ? `${JSON.stringify({ dryRun: options.dryRun, snapshots: outcomes })}\n` : outcomes.map((one) => outcomeText(one, options.dryRun, show)).join(''));
  } finally {
    stop.release();
  }
}

/** A trial run on a folder that is not there creates nothing: it compares with an empty log. */
async function withLog<T>(configuration: Configuration, dryRun: boolean, work: (ports: Pick<ReferenceLoad, 'log' | 'registry'>) => Promise<T>): Promise<T> {
  if (dryRun && configuration.log.kind === 'embedded' && !existsSync(join(configuration.dataFolder, 'log'))) {
    const { MemoryLog } = await import('../runtime/log/memory-log.ts');
    const { registry } = await logAndRegistryOf(configuration);
    return work({ log: new MemoryLog(), registry });
  }
  const { log, registry } = await logAndRegistryOf(configuration);
  await log.open();
  try {
    await registry.open();
    if (!dryRun) await log.createTopics(chargingTopics(configuration.partitions));
    return await work({ log, registry });
  } finally {
    await registry.close();
    await log.close();
  }
}

function validFromOf(text: string | null): number | null {
  if (text === null) return null;
  const found = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(found) && found >= 0) return found;
  throw wrongUse('--valid-from as a day (2025-03-01, midnight UTC) or a time with its offset (2025-03-01T06:00:00+01:00), since 1970', text);
}

function wrongUse(wanted: string, got: string): VoltstreamError {
  return new VoltstreamError('CONFIGURATION_INVALID', 'this is no use of voltstream reference', { wanted, got, cure: 'See voltstream reference --help.' });
}

function outcomeText(one: SnapshotOutcome, dryRun: boolean, show: number): string {
  const asOf = one.sourceMs === null ? '' : `, as of ${new Date(one.sourceMs).toISOString().slice(0, 10)}`;
  const counts = [
    [one.added, 'added'], [one.changed, 'changed'], [one.withdrawn, 'withdrawn'], [one.unchanged, 'unchanged'], [one.older, 'older than what is known'],
    [one.other, 'of something else'], [one.quarantined, 'quarantined'],
  ].filter(([count]) => count !== 0).map(([count, what]) => `${thousands(Number(count))} ${what}`).join(', ');
  const marks = { added: '+', changed: '~', withdrawn: '-' } as const;
  const lines = one.changes.slice(0, show).flatMap((change) => [
    `  ${marks[change.kind]} ${change.id}  from ${new Date(change.validFromMs).toISOString()}\n`,
    ...change.fields.map(({ field, before, after }) => `      ${field}: ${short(before)} -> ${short(after)}\n`),
  ]);
  const more = one.changes.length > show ? [`  and ${thousands(one.changes.length - show)} more (--show ${one.changes.length})\n`] : [];
  const bad = one.bad.slice(0, show).map((row) => `  ! ${row.file}:${row.line}: ${row.column === '' ? '' : `${row.column}: `}${row.reason}\n`);
  const missing = one.missing > 0 && one.withdrawn === 0 ? [`  ${thousands(one.missing)} known ones are not in the file; --withdraw takes them out\n`] : [];
  return `${one.files.join(', ')} (${one.format}${asOf}): ${thousands(one.rows)} rows: ${counts}${dryRun ? '; nothing was written (--dry-run)' : ''}\n${[...lines, ...more, ...bad, ...missing].join('')}`;
}

function short(json: string): string {
  return json.length > 120 ? `${json.slice(0, 117)}...` : json;
}

/** Progress on standard error: one line that changes on a terminal, a line every two seconds elsewhere. */
class LoadLines {
  #shownMs = 0;
  #shown = false;

  show({ phase, what, done, total }: Parameters<NonNullable<ReferenceLoad['onProgress']>>[0]): void {
    const nowMs = Date.now();
    if (this.#shownMs === 0) this.#shownMs = nowMs;
    const terminal = process.stderr.isTTY;
    if (nowMs - this.#shownMs < (terminal ? 100 : 2_000)) return;
    this.#shownMs = nowMs;
    this.#shown = true;
    const line = `${{ read: 'reading', compare: 'comparing', write: 'writing' }[phase]} ${what}${total === 0 ? '' : `: ${thousands(done)} of ${thousands(total)}`}`;
    process.stderr.write(terminal ? `\r\u001b[K${line}` : `${line}\n`);
  }

  tell(message: string): void {
    this.end();
    process.stderr.write(`${message}\n`);
  }

  end(): void {
    if (this.#shown && process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
}
