import type { Setting } from './setting.ts';
import { settings } from './settings.ts';

export interface SettingEntry {
  /** `commit.intervalMs`: as nested in a file. */
  readonly path: string;
  /** `VOLTSTREAM_COMMIT_INTERVAL_MS`. */
  readonly environment: string;
  /** `--commit-interval-ms`, and the alias where there is one. */
  readonly flags: readonly string[];
  readonly setting: Setting<unknown>;
}

function isSetting(value: object): value is Setting<unknown> {
  return 'setting' in value && value.setting === true;
}

const kebab = (path: string): string => path.replaceAll('.', '-').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function collect(tree: object, prefix: string, into: SettingEntry[]): SettingEntry[] {
  for (const [name, value] of Object.entries(tree) as [string, object][]) {
    const path = prefix + name;
    if (!isSetting(value)) {
      collect(value, `${path}.`, into);
      continue;
    }
    const long = kebab(path);
    const flags = value.alias === null ? [`--${long}`] : [`--${long}`, `--${value.alias}`];
    into.push({ path, environment: `VOLTSTREAM_${long.replaceAll('-', '_').toUpperCase()}`, flags, setting: value });
  }
  return into;
}

/** Every setting with its names, in the order of the table. */
export const settingEntries: readonly SettingEntry[] = collect(settings, '', []);

/** The candidate that is fewest letters away, when it is near enough to be what was meant. */
export function nearest(name: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}
