import type { Family } from '../case.ts';
import { aggregate } from './aggregate.ts';
import { grouping } from './grouping.ts';
import { session } from './session.ts';
import { foreignKeyJoin } from './foreign-key-join.ts';
import { stateless } from './stateless.ts';
import { streamJoin } from './stream-join.ts';
import { suppress } from './suppress.ts';
import { tableJoin } from './table-join.ts';
import { versionedJoin } from './versioned-join.ts';
import { window } from './window.ts';

/** One family a file; each knows its `op`s. */
const families: readonly Family[] = [aggregate, foreignKeyJoin, grouping, session, stateless, streamJoin, suppress, tableJoin, versionedJoin, window];

/** The family that builds an `op`; undefined when there is none yet. */
export function familyOf(op: string): Family | undefined {
  return families.find((family) => family.ops.includes(op));
}
