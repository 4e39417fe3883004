import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../schemas/builtin-codecs.ts';
import { propertyRuns } from '../schemas/testing/property-runs.ts';
import { versionedStore } from '../state/local/versioned-store.ts';
import { joinTable, leftJoinTable } from './join-table.ts';
import type { Operator, StreamRecord } from './operator.ts';
import { OperatorHarness, TaskStores } from './testing/harness.ts';
import { tableIn } from './testing/tables.ts';

type Text = string | null;
type Out = StreamRecord<Text, string>;
/** A new version of a key in the table, a record of the stream, or an idle time. */
interface Event {
  readonly what: 'version' | 'record' | 'idle';
  readonly key: string;
  readonly timeMs: number;
  readonly isNull: boolean;
}

const keys = ['a', 'b', '\u{10000}', '\uffff'];
const event: fc.Arbitrary<Event> = fc.record({
  what: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('version' as const, 'record' as const, 'record' as const) }, fc.constant('idle' as const),
  ),
  key: fc.constantFrom(...keys),
  timeMs: fc.nat(80),
  isNull: fc.nat(9).map((drawn) => drawn === 0),
});
const versions = versionedStore({ name: 'table', key: utf8, value: utf8, historyMs: 1_000 });
const table = tableIn('table', versions);
const both = (left: string, right: Text): string => `${left}+${right}`;
const compareKeys = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right));

function operatorOf(kind: 'inner' | 'left', graceMs: number): Operator<Text, Text, Text, string> {
  const grace = { graceMs, key: utf8, value: utf8 };
  if (kind === 'left') return leftJoinTable<Text, Text, string, string>('join', table, both, grace);
  return joinTable<string, Text, string, string>('join', table, both as never, grace as never) as Operator<Text, Text, Text, string>;
}

/** All outputs, by definition: a list of what waits, and a list of all versions. */
function model(kind: 'inner' | 'left', graceMs: number, events: readonly Event[]): readonly Out[][] {
  const known: { readonly key: string; readonly timeMs: number; readonly value: Text }[] = [];
  let waiting: { readonly key: string; readonly timeMs: number; readonly value: string }[] = [];
  let nowMs = -1;
  const join = ({ key, timeMs, value }: { readonly key: string; readonly timeMs: number; readonly value: string }): Out[] => {
    // The last of several versions of one time counts.
    const valid = known.filter((version) => version.key === key && version.timeMs <= timeMs).toSorted((left, right) => left.timeMs - right.timeMs).at(-1);
    const found = valid?.value ?? null;
    return found === null && kind === 'inner' ? [] : [{ key, value: both(value, found), timestampMs: timeMs }];
  };
  return events.map(({ what, key, timeMs, isNull }, place) => {
    if (what === 'version') {
      known.push({ key, timeMs, value: isNull ? null : `t${place}` });
      return [];
    }
    const record = { key, timeMs, value: `s${place}` };
    if (what === 'record') {
      if (isNull) return [];
      if (timeMs < nowMs - graceMs || graceMs === 0) return join(record);
      waiting.push(record);
    }
    nowMs = Math.max(nowMs, timeMs);
    const due = waiting.filter((one) => one.timeMs <= nowMs - graceMs).toSorted((left, right) => left.timeMs - right.timeMs || compareKeys(left.key, right.key));
    waiting = waiting.filter((one) => one.timeMs > nowMs - graceMs);
    return due.flatMap(join);
  });
}

describe('joinTable with the versions of a table', () => {
  it.each(['inner', 'left'] as const)('gives what the definition gives, over restarts and idle times (%s)', (kind) => {
    const graces = fc.constantFrom(0, 1, 15, 60);
    fc.assert(fc.property(graces, fc.array(event, { maxLength: 40 }), fc.infiniteStream(fc.nat(6)), (graceMs, events, dice) => {
      const stores = new TaskStores();
      const running = new OperatorHarness(operatorOf(kind, graceMs), stores);
      const outs = events.map(({ what, key, timeMs, isNull }, place) => {
        if (what === 'version') stores.get(versions).put(key, isNull ? null : `t${place}`, timeMs);
        if (what === 'record') running.push({ key, value: isNull ? null : `s${place}`, timestampMs: timeMs });
        if (what === 'idle') running.idle(timeMs);
        const taken = running.take();
        const drawn = dice.next().value;
        if (drawn === 0) running.restart();
        if (drawn === 1) stores.commit();
        return taken;
      });
      expect(outs).toEqual(model(kind, graceMs, events));
    }), propertyRuns());
  });
});
