#!/usr/bin/env -S node --max-semi-space-size=64
import './thread-pool.ts';
import { Command, CommanderError, Option } from 'commander';
import { VoltstreamError } from '../errors.ts';
import { settingEntries } from '../runtime/configuration.ts';
import type { ConfigurationSources } from '../runtime/configuration.ts';

/** Exit codes of every command. */
const exitCodes = { done: 0, failed: 1, usage: 2 } as const;

type Flags = Readonly<Record<string, unknown>>;

/** The engine's settings as flags: those people use on the command line by name, all others by --set. */
function withSettings(command: Command): Command {
  return command
    .option('--config <file>', 'YAML or JSON file with settings (docs/configuration.md)')
    .option('--data <folder>', 'data folder of the embedded log, state and ClickHouse (default: .voltstream)')
    .option('--set <name=value...>', 'any setting by its path, e.g. --set commit.intervalMs=500');
}

/** Of the command that runs, so that what it fails with can be told without its secrets. */
let given: ConfigurationSources = {};

function sourcesOf(flags: Flags): ConfigurationSources {
  const settings: Record<string, unknown> = {};
  for (const pair of (flags['set'] as readonly string[] | undefined) ?? []) {
    const at = pair.indexOf('=');
    if (at < 1) throw new CommanderError(exitCodes.usage, 'voltstream.set', `--set wants name=value, not ${pair}`);
    settings[pair.slice(0, at)] = pair.slice(at + 1);
  }
  if (flags['data'] !== undefined) settings['data'] = flags['data'];
  if (flags['port'] !== undefined) settings['port'] = flags['port'];
  given = { file: flags['config'] as string | undefined, environment: process.env, flags: settings };
  return given;
}

/** Flags of `state` as they were given. */
function stateFlags(flags: Flags): Readonly<Record<string, string | boolean>> {
  const names = ['member', 'at', 'from', 'to', 'limit', 'after', 'export', 'import', 'replace', 'json'];
  return Object.fromEntries(names.filter((name) => flags[name] !== undefined).map((name) => [name, flags[name] as string | boolean]));
}

function referenceCommand(root: Command): void {
  withSettings(root.command('reference'))
    .description('reference data: stations, vehicles and tariffs from files, compared with what is known; the same file again changes nothing (docs/reference-data.md)')
    .argument('<action>', 'load FILE..., or formats: which forms of files there are')
    .argument('[file...]', 'CSV or JSON, plain or gzip')
    .option('--format <name>', 'form of the files, as "formats" names it (default: by their content)')
    .option('--valid-from <time>', 'new versions hold from here on, a day or time (default: by what the files say)')
    .option('--withdraw', 'withdraw what this source has brought before and the files, within the regions they cover, no longer have')
    .option('--dry-run', 'only show what would change')
    .option('--show <number>', 'changes to show', '20')
    .option('--json', 'print the outcome as JSON')
    .action(async (action: string, files: readonly string[], flags: Flags) => (await import('./reference.ts')).reference(sourcesOf(flags), files, {
      action, format: (flags['format'] as string | undefined) ?? null, validFrom: (flags['validFrom'] as string | undefined) ?? null,
      withdraw: flags['withdraw'] === true, dryRun: flags['dryRun'] === true, show: String(flags['show']), json: flags['json'] === true,
    }));
}

function reportCommand(root: Command): void {
  withSettings(root.command('report'))
    .description('the questions people ask of a network: today, hours, weekdays, months, stations, utilisation, revenue, uptime, data quality (docs/questions.md)')
    .option('--section <names...>', 'only these sections: network, status, today, sessions, hours, weekdays, months, stations, utilisation, revenue, chargers, shares, recent, quality')
    .option('--from <day>', 'sessions that began on this day or later, by the clock at their site: YYYY-MM-DD')
    .option('--to <day>', 'sessions that began on this day or earlier')
    .option('--city <name>', 'only of this city')
    .option('--operator <name>', 'only of this operator')
    .option('--site <name>', 'only of this site')
    .option('--show-sql <question>', 'print the SQL of a question, e.g. sessions_by_weekday')
    .option('--json', 'print the answers as JSON, by question')
    .action(async (flags: Flags) => (await import('./report.ts')).report(sourcesOf(flags), {
      sections: listOf(flags['section']) ?? [], json: flags['json'] === true, showSql: (flags['showSql'] as string | undefined) ?? null,
      part: Object.fromEntries([['city', 'city'], ['operator', 'operator'], ['site', 'site'], ['fromDay', 'from'], ['toDay', 'to']]
        .filter(([, flag = '']) => flags[flag] !== undefined).map(([name = '', flag = '']) => [name, flags[flag]])),
    }));
}

function exportCommand(root: Command): void {
  withSettings(root.command('export'))
    .description('take a table or view away as CSV, JSON lines or Parquet; where a process already runs on the data folder, it gives the rows')
    .argument('[table]', 'a table or view of the database, e.g. charging_sessions')
    .option('--query <sql>', 'one SELECT in place of a table')
    .option('--format <names...>', 'csv, jsonl, parquet, or several of them with commas between (default: by the file name, else csv)')
    .option('--out <file...>', 'files; .csv, .jsonl, .parquet say the format, .gz and .zst compress text (default: standard output)')
    .option('--where <condition>', 'only rows for which this holds, e.g. "city = \'Dundee\'"')
    .option('--columns <names...>', 'only these columns, in this order (default: all but those of the engine, which begin with _)')
    .option('--no-final', 'every version of a row that is still there, not only the newest')
    .option('--force', 'write over files that are there')
    .option('--json', 'print what was written as JSON')
    .action(async (table: string | undefined, flags: Flags) => (await import('./export.ts')).exportTable(sourcesOf(flags), {
      table: table ?? null, query: (flags['query'] as string | undefined) ?? null, formats: listOf(flags['format']) ?? [], out: (flags['out'] as readonly string[] | undefined) ?? [],
      where: (flags['where'] as string | undefined) ?? null, columns: listOf(flags['columns']), final: flags['final'] !== false,
      force: flags['force'] === true, json: flags['json'] === true,
    }));
}

/** Values that may stand apart or with commas between; null: none was given. */
function listOf(flag: unknown): readonly string[] | null {
  return flag === undefined ? null : (flag as readonly string[]).flatMap((text) => text.split(',')).map((text) => text.trim()).filter((text) => text !== '');
}

function stateCommand(root: Command): void {
  withSettings(root.command('state'))
    .description('look at committed state; take it away as a savepoint and bring it back')
    .argument('[action]', 'list, get STORE KEY, or range STORE', 'list')
    .argument('[store]', 'a store that "list" names')
    .argument('[key]', 'text where keys are texts, else JSON; of a grouped store the group')
    .option('--member <name>', 'member of a group')
    .option('--at <time>', 'start of a window, end of a session, or as of when: milliseconds or ISO 8601')
    .option('--from <bound>', 'first key, or time where entries lie by time')
    .option('--to <bound>', 'key before which it ends, or last time')
    .option('--limit <number>', 'entries of a page at most, to 10000 (default: 1000)')
    .option('--after <cursor>', 'where the page before has ended')
    .option('--export <file>', 'write all state as a savepoint; .gz is gzip, else zstd')
    .option('--import <file>', 'bring a savepoint into the state store')
    .option('--replace', 'import in place of state that is there')
    .option('--json', 'print the answer as JSON')
    .action(async (action: string, store: string | undefined, key: string | undefined, flags: Flags) =>
      (await import('./state.ts')).state(sourcesOf(flags), { action, store, key, ...stateFlags(flags) }));
}

function simulateCommand(root: Command): void {
  withSettings(root.command('simulate'))
    .description('simulate a charging network by profile and seed: into the log, or as JSON lines into a folder; what is true goes into a ledger (docs/simulator.md)')
    .option('--profile <name>', 'a shipped profile (--list), or a JSON file', 'city')
    .option('--list', 'list the shipped profiles')
    .option('--seed <text>', 'the same seed gives the same messages', '1')
    .option('--site-prefix <text>', 'before the ids of all sites, so that several networks can be in one log')
    .option('--days <number>', 'simulated time (default: as the profile says)')
    .option('--start <time>', 'when it begins: an ISO time, or now (default: as the profile says)')
    .option('--out <folder>', 'JSON lines in this folder, which must be new or empty (default: into the log)')
    .option('--format <name>', 'of the files in that folder: jsonl, or avro (object container files)', 'jsonl')
    .option('--rate <number>', 'messages a second (default: as fast as possible)')
    .option('--speed <times>', 'so many times as fast as real time; 1 is live')
    .option('--workers <number>', 'threads that simulate; 0 is this one (default: one less than there are cores)')
    .option('--no-ledger', 'do not write down what is true')
    .option('--fit <file...>', 'learn a profile from session logs in place of simulating: with --mapping, into the file --out')
    .option('--mapping <name>', 'with --fit: how these are read, as for ingest')
    .option('--force', 'write over a folder with files')
    .option('--json', 'print the outcome as JSON')
    .action(async (flags: Flags) => {
      const text = (name: string): string | null => (flags[name] as string | undefined) ?? null;
      await (await import('./simulate/simulate.ts')).simulateCommand(sourcesOf(flags), {
        profile: String(flags['profile']), seed: String(flags['seed']), sitePrefix: text('sitePrefix'), days: text('days'), start: text('start'), out: text('out'), format: String(flags['format']), rate: text('rate'),
        speed: text('speed'), workers: text('workers'), ledger: flags['ledger'] !== false, force: flags['force'] === true, list: flags['list'] === true,
        fit: (flags['fit'] as readonly string[] | undefined) ?? null, mapping: text('mapping'), json: flags['json'] === true,
      });
    });
}

function loadTestCommand(root: Command): void {
  withSettings(root.command('load-test'))
    .description('load the product with a simulation: throughput, latency, memory, CPU, and whether all is right by the ledger (docs/load-test.md)')
    .option('--profile <name>', 'a shipped profile (voltstream simulate --list), or a JSON file', 'city')
    .option('--seed <text>', 'the same seed gives the same messages', '1')
    .option('--events <number>', 'at least so many messages (default: 100000, or what the rate gives in --duration)')
    .option('--rate <rate>', 'max, a number a second, or FROM:TO:SECONDS', 'max')
    .option('--duration <seconds>', 'with a rate: so long')
    .option('--pods <number>', 'with servers (Kafka, Redis, ClickHouse by --config): so many processes of the product on this machine', '1')
    .option('--kill <number>', 'with servers: kill one of them so many times under way', '0')
    .option('--run <name>', 'with servers: names topics, database and state of this test (default: by the time)')
    .option('--keep', 'with servers: leave them there')
    .option('--remove', 'with --run: only delete what a test of this name has left')
    .option('--json <file>', 'the report as JSON')
    .option('--html <file>', 'the report as one page with plots')
    .action(async (flags: Flags) => {
      const { loadTestOptionsFrom } = await import('./load-test/load-test-options.ts');
      const options = loadTestOptionsFrom(flags);
      await (await import('./load-test/load-test.ts')).loadTest(sourcesOf(flags), options);
    });
}

function program(): Command {
  const root = new Command('voltstream')
    .description('Stream processing in your own process, and on it the live data platform of an EV-charging network.')
    .version('0.1.0')
    .showHelpAfterError('(voltstream --help shows all commands)')
    .exitOverride();

  withSettings(root.command('run'))
    .description('the main job: take the shipped charging data, process what is in the log, serve the live page and /metrics')
    .option('--exit', 'end when the input is done')
    .option('--no-sample', 'do not take the shipped data set')
    .option('--no-live', 'do not go on with simulated stations after it')
    .option('--reset', 'start over where state is missing')
    .option('--port <number>', 'port of the live page, 0 takes any free one (default: 8080)')
    .option('--print-config', 'print the settings in force, without secrets, and end')
    .option('--json', 'print the summary as JSON')
    .option('--workers <number>', 'so many processes of one group on this machine, supervised; with servers only (docs/production.md)')
    .addOption(new Option('--worker <name>', 'one process of --workers, started by it').hideHelp())
    .action(async (flags: Flags) => (await import('./run.ts')).run(sourcesOf(flags), {
      exit: flags['exit'] === true, sample: flags['sample'] !== false, live: flags['live'] !== false, reset: flags['reset'] === true,
      printConfig: flags['printConfig'] === true, json: flags['json'] === true,
      workers: (flags['workers'] as string | undefined) ?? null, worker: (flags['worker'] as string | undefined) ?? null,
    }));

  withSettings(root.command('ingest'))
    .description('take events as JSON lines ("-" is standard input), or session logs as CSV. What was taken before is not taken again')
    .argument('[file...]', 'files of charging events (docs/events.md), or with --mapping session logs, also .gz (docs/session-logs.md)')
    .option('--mapping <name>', 'the files are session logs of this form: a name of --mappings, or a YAML or JSON file')
    .option('--mappings', 'list the mappings that come with voltstream')
    .option('--check', 'with --mapping: only say what would be taken, and how good it is')
    .option('--fail-above <share>', 'with --mapping: take nothing when more of the new rows fail any one check; 0.02 is 2 %')
    .option('--json', 'print the outcome as JSON')
    .action(async (files: readonly string[], flags: Flags) => (await import('./ingest.ts')).ingest(sourcesOf(flags), files, {
      json: flags['json'] === true, mapping: (flags['mapping'] as string | undefined) ?? null, mappings: flags['mappings'] === true,
      check: flags['check'] === true, failAbove: (flags['failAbove'] as string | undefined) ?? null,
    }));

  referenceCommand(root);
  simulateCommand(root);
  loadTestCommand(root);

  withSettings(root.command('query'))
    .description('ask ClickHouse; where a process already runs on the data folder, it answers')
    .argument('<sql>', 'one SELECT, SHOW, DESCRIBE or EXPLAIN')
    .option('--format <name>', 'a ClickHouse format', 'PrettyCompactMonoBlock')
    .option('--json', 'the same as --format JSONEachRow')
    .action(async (sql: string, flags: Flags) =>
      (await import('./query.ts')).query(sourcesOf(flags), sql, flags['json'] === true ? 'JSONEachRow' : String(flags['format'])));

  reportCommand(root);
  exportCommand(root);

  stateCommand(root);

  root.command('topology')
    .description('describe the product topology: sources, steps, stores, sinks')
    .option('--mermaid', 'as a Mermaid flowchart')
    .action(async (flags: Flags) => (await import('./topology.ts')).topology(flags['mermaid'] === true ? 'mermaid' : 'text'));

  withSettings(root.command('verify'))
    .description('compare the tables with the truth: lost, duplicated, wrong')
    .option('--against <file...>', 'what to compare with: dundee, the shipped data set; or with --mapping the files of a session log')
    .option('--mapping <name>', 'mapping of these files, as for ingest')
    .option('--ledger <folder>', 'compare with the ledger of a simulation: its folder')
    .option('--json', 'print the result as JSON')
    .action(async (flags: Flags) => {
      const json = flags['json'] === true;
      const against = flags['against'] as readonly string[] | undefined;
      const ledger = flags['ledger'] as string | undefined;
      if ((against === undefined) === (ledger === undefined)) throw new CommanderError(exitCodes.usage, 'voltstream.verify', 'verify wants either --against or --ledger');
      if (ledger !== undefined) await (await import('./verify-ledger.ts')).verifyAgainstLedger(sourcesOf(flags), ledger, { json });
      else await (await import('./verify.ts')).verify(sourcesOf(flags), against ?? [], { json, mapping: (flags['mapping'] as string | undefined) ?? null });
    });

  root.addHelpText('after', `\nEvery setting can be given by --set, by environment variable or in a file (${settingEntries.length} settings, docs/configuration.md).`);
  return root;
}

/** A configuration that cannot be loaded has no known secrets; its errors name none. */
async function withoutSecrets(text: string): Promise<string> {
  const [{ loadConfiguration }, { redactionOf, secretsOf }] = await Promise.all([import('../runtime/configuration.ts'), import('../runtime/logger/redaction.ts')]);
  let secrets: readonly string[] = [];
  try {
    secrets = secretsOf(loadConfiguration(given));
  } catch (error) {
    if (!(error instanceof VoltstreamError)) throw error;
  }
  return redactionOf(secrets).text(text);
}

try {
  await program().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    if (error.code.startsWith('voltstream.')) process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  } else {
    const known = error instanceof VoltstreamError;
    process.stderr.write(`${await withoutSecrets(known ? error.message : error instanceof Error ? error.stack ?? error.message : String(error))}\n`);
    process.exitCode = known && error.code === 'CONFIGURATION_INVALID' ? exitCodes.usage : exitCodes.failed;
  }
}
