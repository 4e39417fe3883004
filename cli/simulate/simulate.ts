import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { chargingTopics } from '../../charging/topics.ts';
import { VoltstreamError } from '../../errors.ts';
import { loadConfiguration } from '../../runtime/configuration.ts';
import type { Configuration, ConfigurationSources } from '../../runtime/configuration.ts';
import { logAndRegistryOf } from '../../runtime/ports.ts';
import { SLICE_MS } from '../../simulator/district-group.ts';
import type { OutputForm } from '../../simulator/district-group.ts';
import { connectorCount, districtCount } from '../../simulator/network/network.ts';
import type { DistrictFigures } from '../../simulator/network/district-run.ts';
import type { Profile } from '../../simulator/profile.ts';
import { sitePrefixPattern } from '../../simulator/profile.ts';
import { readProfile, shippedProfiles } from '../../simulator/read-profile.ts';
import { referenceFiles } from '../../simulator/reference/reference-data.ts';
import { simulate, sliceCount } from '../../simulator/simulation.ts';
import { thousands } from '../progress.ts';
import { fit } from './fit.ts';
import { FolderOutput, folderFormats, formOf } from './folder-output.ts';
import { LedgerFolder } from './ledger-folder.ts';
import { LogOutput } from './log-output.ts';
import { assertApart, ledgerName } from './networks-apart.ts';
import type { NetworkMark } from './networks-apart.ts';
import type { Pace } from './pacer.ts';
import { Pacer } from './pacer.ts';
import { referenceRecords, schemaIds } from './reference-records.ts';
import type { SimulationOutput } from './simulation-output.ts';

export interface SimulateOptions {
  /** A shipped profile's name, or a file. */
  readonly profile: string;
  readonly seed: string;
  /** Before the ids of all sites; null: as the profile says. */
  readonly sitePrefix: string | null;
  readonly days: string | null;
  /** An ISO time, or `now`; null: as the profile says. */
  readonly start: string | null;
  /** A folder for JSON lines; null: into the log. */
  readonly out: string | null;
  /** Of the files in that folder: jsonl or avro. */
  readonly format: string;
  readonly rate: string | null;
  readonly speed: string | null;
  readonly workers: string | null;
  readonly ledger: boolean;
  readonly force: boolean;
  readonly list: boolean;
  /** Session logs to learn a profile from, in place of a simulation. */
  readonly fit: readonly string[] | null;
  readonly mapping: string | null;
  readonly json: boolean;
}

/** What a run is, read and checked. */
interface Plan {
  readonly profile: Profile;
  readonly seed: string;
  readonly startMs: number;
  readonly days: number;
  readonly pace: Pace;
  readonly workers: number;
}

/** Simulates a network into a folder or into the log; goes on where an earlier run into the log was ended. */
export async function simulateCommand(sources: ConfigurationSources, options: SimulateOptions): Promise<void> {
  if (options.list) {
    process.stdout.write(profilesText());
    return;
  }
  if (options.fit !== null) {
    await fit({ files: options.fit, mapping: options.mapping, out: options.out, force: options.force, json: options.json });
    return;
  }
  const plan = planOf(options);
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    if (options.out === null) await intoLog(loadConfiguration(sources), plan, options, abort.signal);
    else await intoFolder(options.out, plan, options, abort.signal);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

function profilesText(): string {
  return shippedProfiles().map((name) => {
    const profile = readProfile(name);
    return `${name.padEnd(14)} ${thousands(connectorCount(profile.sites))} connectors, ${thousands(profile.vehicles.count)} vehicles, ${profile.days} days. ${profile.description}\n`;
  }).join('');
}

function planOf(options: SimulateOptions): Plan {
  const { sitePrefix } = options;
  if (sitePrefix !== null && !sitePrefixPattern.test(sitePrefix)) throw wrong('--site-prefix', 'up to 32 letters, digits, dots and dashes', sitePrefix);
  const profile = { ...readProfile(options.profile), ...(sitePrefix === null ? {} : { sitePrefix }) };
  const startMs = options.start === null ? Date.parse(profile.startsAt) : options.start === 'now' ? Date.now() - (Date.now() % SLICE_MS) : Date.parse(options.start);
  if (!Number.isFinite(startMs)) throw wrong('--start', 'an ISO time, such as 2025-03-24T00:00:00Z, or now', options.start);
  if (options.rate !== null && options.speed !== null) throw wrong('--rate', 'either a rate or a speed', 'both');
  const pace: Pace = options.rate !== null ? { kind: 'rate', perSecond: above('--rate', options.rate) }
    : options.speed !== null ? { kind: 'speed', times: above('--speed', options.speed) } : { kind: 'as-fast-as-possible' };
  return {
    profile, seed: options.seed, startMs, pace, days: options.days === null ? profile.days : above('--days', options.days),
    workers: options.workers === null ? Math.min(districtCount(profile), Math.max(1, availableParallelism() - 1)) : wholeFrom('--workers', options.workers),
  };
}

function above(where: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0) || !Number.isFinite(value)) throw wrong(where, 'a number above 0', text);
  return value;
}

function wholeFrom(where: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 0 || value > 256) throw wrong(where, 'a whole number from 0 (in this thread) to 256', text);
  return value;
}

function wrong(where: string, wanted: string, got: string | null): VoltstreamError {
  return new VoltstreamError('CONFIGURATION_INVALID', 'an option of the simulation cannot be', { where, wanted, got: got ?? 'nothing' });
}

async function intoFolder(folder: string, plan: Plan, options: SimulateOptions, signal: AbortSignal): Promise<void> {
  const format = folderFormats.find((name) => name === options.format);
  if (format === undefined) throw wrong('--format', folderFormats.join(' or '), options.format);
  const output = await FolderOutput.open(folder, { format, about: aboutOf(plan), files: referenceFiles(plan.profile), force: options.force });
  await run(output, plan, formOf(format), options, signal, folder);
}

async function intoLog(configuration: Configuration, plan: Plan, options: SimulateOptions, signal: AbortSignal): Promise<void> {
  const mark = markOf(plan);
  const ledgers = join(configuration.dataFolder, 'ledger');
  await assertApart(ledgers, mark);
  const { log, registry } = await logAndRegistryOf(configuration);
  await log.open();
  try {
    await registry.open();
    try {
      await log.createTopics(chargingTopics(configuration.partitions));
      const ids = await schemaIds(registry);
      const first = await referenceRecords(registry, plan.profile, plan.startMs);
      const writer = ['simulate', mark.profile, mark.seed, plan.startMs, ...(mark.sitePrefix === '' ? [] : [mark.sitePrefix])].join('/');
      let told = '';
      const into = await LogOutput.open(await log.producer(), writer, first, (error) => {
        const text = error instanceof Error ? error.message : String(error);
        if (text !== told) process.stderr.write(`${text}\n`);
        told = text;
      });
      const folder = join(ledgers, ledgerName(mark));
      const output = options.ledger ? await LedgerFolder.open(folder, aboutOf(plan), into) : into;
      if (output.firstSlice > 0) process.stderr.write(`going on at simulated minute ${thousands(output.firstSlice)}: what is before is in the log\n`);
      await run(output, plan, { kind: 'records', ids }, options, signal, options.ledger ? folder : 'the log');
    } finally {
      await registry.close();
    }
  } finally {
    await log.close();
  }
}

function markOf({ profile, seed, startMs }: Plan): NetworkMark {
  return { profile: profile.name, seed, startsAt: new Date(startMs).toISOString(), sitePrefix: profile.sitePrefix ?? '' };
}

function aboutOf(plan: Plan): object {
  const { profile, days } = plan;
  return { ...markOf(plan), days, registers: profile.reporting.registers, faults: profile.faults };
}

async function run(
  output: SimulationOutput, plan: Plan, form: OutputForm, options: SimulateOptions, signal: AbortSignal, where: string,
): Promise<void> {
  const { profile, seed, startMs, days, workers } = plan;
  const slices = sliceCount({ profile, days });
  const pacer = new Pacer(plan.pace, startMs + output.firstSlice * SLICE_MS);
  const startedMs = performance.now();
  const sent: Sent = { messages: 0, slices: 0, figures: { messages: 0, sessions: 0, arrivals: 0, turnedAway: 0 } };
  let isComplete = true;
  const built = (districts: number, of: number): void => show(() => `building the network: ${thousands(districts)} of ${thousands(of)} districts`);
  for await (const slice of simulate({ profile, seed, startMs, days, form, ledger: options.ledger, workers, built })) {
    const isNew = slice.number >= output.firstSlice;
    const messages = slice.districts.reduce((sum, { segment }) => sum + segment.messages, 0);
    if (isNew && !(await pacer.due(slice.timeMs, sent.messages + messages, signal))) isComplete = false;
    if (signal.aborted) isComplete = false;
    if (!isComplete) break;
    await output.write(slice);
    if (plan.pace.kind !== 'as-fast-as-possible') await output.flush?.();
    sent.messages += isNew ? messages : 0;
    sent.slices = slice.number + 1;
    sent.figures = slice.figures;
    progress(sent, slices, startedMs);
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
  if (isComplete) await output.finish();
  else await output.abandon();
  const seconds = (performance.now() - startedMs) / 1_000;
  process.stdout.write(options.json
    ? `${JSON.stringify({ where, complete: isComplete, seconds, ...sent.figures, messages: sent.messages })}\n`
    : `${where}: ${thousands(sent.messages)} messages of ${thousands(sent.figures.sessions)} sessions in ${seconds.toFixed(1)} s (${thousands(sent.messages / seconds)}/s)` +
      `${isComplete ? '' : '; ended early'}\n`);
}

interface Sent {
  messages: number;
  slices: number;
  figures: DistrictFigures;
}

let shownMs = 0;

function progress({ messages, slices }: Sent, all: number, startedMs: number): void {
  const seconds = (performance.now() - startedMs) / 1_000;
  const left = slices === 0 ? 0 : (seconds / slices) * (all - slices);
  show(() => `${thousands(messages)} messages, ${thousands(messages / seconds)}/s, ${((100 * slices) / all).toFixed(1)} % of the time, about ${Math.ceil(left)} s left`);
}

/** Says on the terminal how far it is, now and then. */
function show(text: () => string): void {
  const nowMs = performance.now();
  if (nowMs - shownMs < (process.stderr.isTTY ? 250 : 5_000)) return;
  shownMs = nowMs;
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[2K${text()}` : `${text()}\n`);
}
