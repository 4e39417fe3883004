import { VoltstreamError } from '../errors.ts';
import { settingEntries } from './configuration/paths.ts';
import { brokenRules } from './configuration/rules.ts';
import type { Setting } from './configuration/setting.ts';
import type { settings } from './configuration/settings.ts';
import { readEnvironment, readFile, readFlags } from './configuration/sources.ts';
import type { Findings } from './configuration/sources.ts';

export { settingEntries } from './configuration/paths.ts';
export type { SettingEntry } from './configuration/paths.ts';

type Values<Tree> = {
  readonly [Name in keyof Tree]: Tree[Name] extends Setting<infer T> ? T : Values<Tree[Name]>;
};

/** Every setting of the engine with its value, frozen; see `docs/configuration.md` for meaning and units. */
export type Configuration = Values<typeof settings>;

export interface ConfigurationSources {
  /** A YAML or JSON file; else the one that the environment variable VOLTSTREAM_CONFIG names. */
  readonly file?: string | undefined;
  /** Variables named VOLTSTREAM_...; `process.env` in commands, nothing in tests. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** By path (`http.port`, from `--set http.port=0`) or by the name of a flag of its own (`port`, from `--port 0`). */
  readonly flags?: Readonly<Record<string, unknown>>;
}

/**
 * Reads the configuration once: defaults, then the file, then environment variables, then flags; later ones win.
 *
 * @throws VoltstreamError CONFIGURATION_INVALID that names every unknown key (with what may have been meant), every value that
 * is not allowed, and every rule between settings that is broken. Secrets are not in its text.
 */
export function loadConfiguration(sources: ConfigurationSources = {}): Configuration {
  const findings: Findings = { given: [], problems: [] };
  const environment = sources.environment ?? {};
  const file = sources.file ?? environment['VOLTSTREAM_CONFIG'];
  if (file === '') findings.problems.push('--config: needs the name of a file');
  else if (file !== undefined) readFile(file, findings);
  readEnvironment(environment, findings);
  readFlags(sources.flags ?? {}, findings);

  const values = new Map<string, unknown>(settingEntries.map((entry) => [entry.path, entry.setting.default]));
  for (const { path, raw, where } of findings.given) {
    const entry = settingEntries.find((candidate) => candidate.path === path);
    if (entry === undefined) throw new Error(`invariant violated: ${path} was accepted as a setting`);
    try {
      values.set(path, entry.setting.parse(raw));
    } catch (error) {
      const got = entry.setting.secrecy === 'open' ? `, not ${JSON.stringify(raw)}` : '';
      findings.problems.push(`${where}: ${path} must be ${(error as Error).message}${got}`);
    }
  }
  const configuration = nest(values);
  if (findings.problems.length === 0) findings.problems.push(...brokenRules(configuration));
  if (findings.problems.length > 0) {
    throw new VoltstreamError('CONFIGURATION_INVALID', findings.problems.join('\n    '));
  }
  return configuration;
}

/** The configuration as text for people and bug reports (YAML's JSON), without secrets. */
export function printConfiguration(configuration: Configuration): string {
  const values = new Map<string, unknown>();
  for (const { path, setting } of settingEntries) {
    let value: unknown = configuration;
    for (const name of path.split('.')) value = (value as Readonly<Record<string, unknown>>)[name];
    values.set(path, value === null ? null : redact(value, setting));
  }
  return JSON.stringify(nest(values), null, 2);
}

/** Lines of the table in `docs/configuration.md`. */
export function configurationTable(): readonly string[] {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    row(['setting', 'environment variable, flag', 'allowed', 'default', 'why']),
    row(['---', '---', '---', '---', '---']),
    ...settingEntries.map(({ path, environment, setting }) => {
      const initial = setting.default === null || (Array.isArray(setting.default) && setting.default.length === 0)
        ? '' : `\`${String(setting.default)}\``;
      const names = `\`${environment}\`${setting.alias === null ? '' : ` \`--${setting.alias}\``}`;
      return row([`\`${path}\``, names, setting.allowed, initial, setting.reason]);
    }),
  ];
}

function redact(value: unknown, setting: Setting<unknown>): unknown {
  if (setting.secrecy === 'secret') return '***';
  if (setting.secrecy === 'url') return String(value).replace(/\/\/[^/]*@/, '//***@').replace(/\?.*$/, '?***');
  return value;
}

function nest(values: ReadonlyMap<string, unknown>): Configuration {
  const root: Record<string, unknown> = {};
  for (const [path, value] of values) {
    const names = path.split('.');
    const last = names.pop() ?? path;
    let group = root;
    for (const name of names) group = (group[name] ??= {}) as Record<string, unknown>;
    group[last] = Array.isArray(value) ? Object.freeze([...value]) : value;
  }
  return freeze(root) as Configuration;
}

function freeze(value: object): object {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) freeze(part);
  return Object.freeze(value);
}
