import type { Setting } from './setting.ts';
import { settings } from './settings.ts';

export interface SettingEntry {
  /** `commit.intervalMs`: as nested in a file. */
  readonly path: string;
  /** `VOLTSTREAM_COMMIT_INTERVAL_MS`. */
  readonly environment: string;
  readonly setting: Setting<unknown>;
}

function isSetting(value: object): value is Setting<unknown> {
  return 'setting' in value && value.setting === true;
}

const variableOf = (path: string): string => `VOLTSTREAM_${path.replaceAll('.', '_').replaceAll(/[A-Z]/g, '_$&').toUpperCase()}`;

function collect(tree: object, prefix: string, into: SettingEntry[]): SettingEntry[] {
  for (const [name, value] of Object.entries(tree) as [string, object][]) {
    const path = prefix + name;
    if (isSetting(value)) into.push({ path, environment: variableOf(path), setting: value });
    else collect(value, `${path}.`, into);
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
