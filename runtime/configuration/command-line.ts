import { settingEntries } from './paths.ts';

export interface CommandLine {
  /** What `loadConfiguration` takes. */
  readonly file: string | undefined;
  readonly flags: Readonly<Record<string, string | true>>;
  /** `--print-config` was given. */
  readonly print: boolean;
  /** Everything else, in order, for the command itself. */
  readonly rest: readonly string[];
}

/**
 * Takes the flags of settings out of a command line: `--http-port 0`, `--http-port=0`, `--log-ssl-enabled` (true), `--config
 * FILE`, `--print-config`. Nothing behind `--` is looked at. A flag of a setting without its value is left without one, which
 * `loadConfiguration` then refuses with what is allowed.
 */
export function splitCommandLine(parameters: readonly string[]): CommandLine {
  const flags: Record<string, string | true> = {};
  const rest: string[] = [];
  let file: string | undefined;
  let print = false;
  for (let index = 0; index < parameters.length; index += 1) {
    const parameter = parameters[index] ?? '';
    if (parameter === '--') {
      rest.push(...parameters.slice(index));
      break;
    }
    const [name = '', ...afterEquals] = parameter.split('=');
    const entry = settingEntries.find((candidate) => candidate.flags.includes(name));
    if (name === '--print-config') print = true;
    else if (entry === undefined && name !== '--config') rest.push(parameter);
    else {
      const next = parameters[index + 1];
      const separate = afterEquals.length === 0 && next !== undefined && !next.startsWith('--')
        && (typeof entry?.setting.default !== 'boolean' || next === 'true' || next === 'false');
      const value = afterEquals.length > 0 ? afterEquals.join('=') : separate ? next : true;
      if (separate) index += 1;
      if (entry === undefined) file = value === true ? '' : value;
      else flags[name.slice(2)] = value;
    }
  }
  return { file, flags, print, rest };
}
