import type { TaskHead } from './commit-check.ts';
import type { Reply } from './redis-scripts.ts';
import { text } from './redis-scripts.ts';

/** The head of a task: who owns it, where it stands, and its stores. */
export interface Head extends TaskHead {
  /** A valid staged commit is still to be applied. */
  readonly redo: boolean;
  readonly stores: readonly string[];
}

/** Out of the fields of its hash; undefined for a task that was never claimed. */
export function headOf(fields: readonly Reply[]): Head | undefined {
  if (fields.length === 0) return undefined;
  const values = new Map<string, string>();
  for (let index = 0; index < fields.length; index += 2) values.set(text(fields[index]), text(fields[index + 1]));
  return {
    epoch: Number(values.get('epoch')),
    owner: values.get('owner') ?? '',
    sequence: Number(values.get('sequence')),
    commitId: values.get('commit') ?? '',
    redo: Number(values.get('redo') ?? 0) > 0,
    stores: [...values.keys()].filter((name) => name.startsWith('s:')).map((name) => name.slice(2)),
  };
}
