import { open } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import type { LogProducer } from '../charging/engine.ts';
import { ingestJsonLines } from '../charging/ingest/ingest-json-lines.ts';
import { ingestSessionLog } from '../charging/ingest/ingest-session-log.ts';
import type { SessionLogOutcome } from '../charging/ingest/ingest-session-log.ts';
import { percent, shareOf } from '../charging/ingest/data-quality.ts';
import { lockSource } from '../charging/ingest/source-lock.ts';
import type { CorrectionLimits } from '../charging/ingest/session-log-plan.ts';
import { limitsFrom } from '../charging/stitching/stitch-stores.ts';
import { chargingTopics } from '../charging/topics.ts';
import { VoltstreamError } from '../errors.ts';
import type { SessionLogMapping } from '../charging/session-log/mapping.ts';
import { loadConfiguration } from '../runtime/configuration.ts';
import type { Configuration, ConfigurationSources } from '../runtime/configuration.ts';
import { logAndRegistryOf } from '../runtime/ports.ts';
import { productOptions } from './product-options.ts';
import { thousands } from './progress.ts';
import { mappingNamed, mappingsText, mappingsThatFit } from './session-log-mapping.ts';

export interface IngestOptions {
  readonly json: boolean;
  /** Name of a mapping or file of one: the files are session logs. Null: they are events as JSON lines. */
  readonly mapping: string | null;
  /** Only list the mappings. */
  readonly mappings: boolean;
  /** Session logs: only say what would be taken, and how good it is. */
  readonly check: boolean;
  /** Session logs: a batch is refused when a greater share of its rows fails a check; text as given. Null: none is. */
  readonly failAbove: string | null;
}

type Ports = Awaited<ReturnType<typeof logAndRegistryOf>>;

/** Takes files of events, or session logs, into the log. Works beside a running process: the log takes appends of several. */
export async function ingest(sources: ConfigurationSources, files: readonly string[], options: IngestOptions): Promise<void> {
  if (options.mappings) {
    process.stdout.write(mappingsText());
    return;
  }
  await check(files, options);
  const failAbove = shareFrom(options);
  const configuration = loadConfiguration(sources);
  const mapping = options.mapping === null ? null : await mappingNamed(options.mapping);
  // With Kafka there is no folder that all processes share; see docs/session-logs.md.
  const release = mapping !== null && configuration.log.kind === 'embedded' ? await lockSource(configuration.dataFolder, mapping.name) : null;
  try {
    await take(configuration, files, mapping, options, failAbove);
  } finally {
    await release?.();
  }
}

async function take(
  configuration: Configuration, files: readonly string[], mapping: SessionLogMapping | null, options: IngestOptions, failAbove: number | null,
): Promise<void> {
  const ports = await logAndRegistryOf(configuration);
  await ports.log.open();
  await ports.registry.open();
  try {
    await ports.log.createTopics(chargingTopics(configuration.partitions));
    const producer = await ports.log.producer();
    if (mapping === null) for (const file of files) await takeJsonLines(file, producer, ports, options);
    else await takeSessionLog(files, mapping, producer, ports, { ...options, failAbove, limits: limitsFrom(productOptions(configuration).sessions) });
    await producer.close();
  } finally {
    await ports.registry.close();
    await ports.log.close();
  }
}

function shareFrom({ failAbove, mapping }: IngestOptions): number | null {
  if (failAbove === null) return null;
  const share = Number(failAbove);
  if (failAbove.trim() !== '' && share >= 0 && share <= 1 && mapping !== null) return share;
  throw new VoltstreamError('CONFIGURATION_INVALID', 'a share of rows is wanted, of session logs', {
    where: '--fail-above', wanted: 'a number from 0 to 1, together with --mapping', got: failAbove, cure: 'Give 0.02 for 2 % of the rows.',
  });
}

/** What cannot work is said before anything is opened. */
async function check(files: readonly string[], options: IngestOptions): Promise<void> {
  if (files.length === 0) throw new VoltstreamError('CONFIGURATION_INVALID', 'there is nothing to take', { where: 'FILE', wanted: 'at least one file', got: 'none' });
  for (const file of files) {
    if (file === '-' && options.mapping === null) continue;
    const beginning = await beginningOf(file);
    if (options.mapping !== null || !/\.csv(\.gz)?$/i.test(file)) continue;
    const fitting = mappingsThatFit(beginning.split(/\r?\n/)[0] ?? '');
    throw new VoltstreamError('CONFIGURATION_INVALID', 'a session log (CSV) needs a mapping', {
      where: file, wanted: '--mapping NAME or --mapping FILE.yaml', got: 'none',
      cure: fitting.length === 0
        ? 'None that comes with voltstream fits its columns: write one of your own (docs/session-logs.md).'
        : `Its columns are those of: ${fitting.join(', ')}.`,
    });
  }
}

async function beginningOf(file: string): Promise<string> {
  try {
    const handle = await open(file);
    try {
      const buffer = Buffer.alloc(65_536);
      const { bytesRead } = await handle.read(buffer);
      const read = buffer.subarray(0, bytesRead);
      // A cut off gzip stream still gives what is in front of the cut.
      return (file.endsWith('.gz') && bytesRead > 0 ? gunzipSync(read, { finishFlush: 2 }) : read).toString('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new VoltstreamError('CONFIGURATION_INVALID', 'a file cannot be read', { where: file, got: code ?? message, cure: 'Check the path and the file.', cause: error });
  }
}

/** Says a failure once, not for each attempt. */
function teller(): (error: VoltstreamError) => void {
  let told = '';
  return ({ code, message }) => {
    if (code !== told) process.stderr.write(`${message}\n`);
    told = code;
  };
}

async function takeJsonLines(file: string, producer: LogProducer, { registry }: Ports, options: IngestOptions): Promise<void> {
  const outcome = await ingestJsonLines({
    file, producer, registry, nowMs: Date.now, ...(file === '-' ? { input: process.stdin } : {}),
    retrying: teller(),
    onProgress: ({ lines, bytes, bytesTotal }) =>
      show(`${file}: ${thousands(lines)} lines${bytesTotal === null || bytesTotal === 0 ? '' : `, ${Math.round((bytes / bytesTotal) * 100)} %`}`),
  });
  show('');
  process.stdout.write(options.json
    ? `${JSON.stringify({ file, ...outcome })}\n`
    : `${file}: ${thousands(outcome.events)} events, ${thousands(outcome.quarantined)} lines quarantined` +
      `${outcome.skippedBytes > 0 ? `, ${thousands(outcome.skippedBytes)} bytes taken before` : ''}\n`);
}

async function takeSessionLog(
  files: readonly string[], mapping: SessionLogMapping, producer: LogProducer, { registry, log }: Ports, options: SessionLogOptions,
): Promise<void> {
  show(`${mapping.name}: reading ${files.length} file${files.length === 1 ? '' : 's'}`);
  const outcome = await ingestSessionLog({
    files, mapping, producer, registry, log, nowMs: Date.now, limits: options.limits, failAbove: options.failAbove ?? undefined, checkOnly: options.check,
    retrying: teller(),
    onProgress: ({ appended, toCome }) => {
      const whole = appended + toCome;
      show(`${mapping.name}: ${thousands(appended)} records${whole === 0 ? '' : `, ${Math.floor((appended / whole) * 100)} %`}`);
    },
  });
  show('');
  process.stdout.write(options.json
    ? `${JSON.stringify({ mapping: mapping.name, files, ...outcome })}\n`
    : `${sessionLogText(mapping.name, files, outcome, options.limits)}${options.check ? findingsText(outcome) : ''}`);
}

type SessionLogOptions = Pick<IngestOptions, 'json' | 'check'> & { readonly failAbove: number | null; readonly limits: CorrectionLimits };

/** What a dry run found, check by check. */
function findingsText({ findings }: SessionLogOutcome): string {
  const lines = findings.map((finding) => {
    const { check, rowsFailed, rowsChecked, examples } = finding;
    const failed = rowsFailed === 0 ? '' : ` (${percent(shareOf(finding))}), first ${examples.join(', ')}`;
    return `  ${check.padEnd(22)} ${thousands(rowsFailed)} of ${thousands(rowsChecked)}${failed}`;
  });
  return ['  only checked, nothing was taken; new and corrected rows that fail:', ...lines, ''].join('\n');
}

/** The books of one session log: rows in = sessions + flagged + quarantined. */
export function sessionLogText(
  name: string, files: readonly string[], outcome: SessionLogOutcome, { finishedForMs }: Pick<CorrectionLimits, 'finishedForMs'> = limitsFrom({}),
): string {
  const { rows, quarantined, flagged, added, corrected, unchanged, late, events, concerns, ambiguous, skippedTimes } = outcome;
  const days = Math.round(finishedForMs / 86_400_000);
  const behind = [...(late.corrected === 0 ? [] : [`${thousands(late.corrected)} corrected`]), ...(late.added === 0 ? [] : [`${thousands(late.added)} new`])];
  const named = Object.entries(concerns).map(([concern, count]) => `${concern} ${thousands(count)}`);
  const lines = [
    `${name}: ${thousands(rows + quarantined)} rows in ${files.length} file${files.length === 1 ? '' : 's'} = ` +
      `${thousands(rows - flagged)} sessions + ${thousands(flagged)} flagged + ${thousands(quarantined)} quarantined`,
    `  ${thousands(added)} new, ${thousands(corrected)} corrected, ${thousands(unchanged)} as before; ${thousands(events)} events`,
    ...(behind.length === 0 ? [] : [
      `  late: ${behind.join(' and ')} rows are more than ${days} days behind their stations, the first ${late.examples.join(', ')}; their events will be late records`,
      `  and change no session. To take them: ingest all files into a new data folder, or raise charging.sessions.finishedForDays before the next time`,
    ]),
    ...(named.length === 0 ? [] : [`  flagged: ${named.join(', ')}`]),
    ...(ambiguous + skippedTimes === 0 ? [] : [`  local times: ${ambiguous} that the clock showed twice, ${skippedTimes} that it never showed`]),
    ...(quarantined === 0 ? [] : ["  quarantined rows: voltstream query \"SELECT error FROM voltstream.dead_letters WHERE reason = 'LINE_UNREADABLE'\""]),
  ];
  return `${lines.join('\n')}\n`;
}

/** One line that changes on a terminal, nothing elsewhere. */
function show(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${text}`);
}
