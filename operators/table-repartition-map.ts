import type { Codec } from '../schemas/codec.ts';
import type { Operator, StreamRecord } from './operator.ts';
import { handlerStep, stateless } from './record-step.ts';
import type { Change } from './table-source.ts';

/** The group of a table's row and what it brings into it; null, or null for one of the two, leaves the row out. */
export type SelectGroup<K, V, K2, V2> = (value: V, key: K) => { readonly key: K2 | null; readonly value: V2 | null } | null;

/**
 * Gives the changes of a table the keys of their groups. When the old and the new value are of one group (their keys have the
 * same bytes), they go on as one change; else the old one goes to its group first, then the new one to its own. A side that
 * is left out goes nowhere, uncounted. `select` is called again for the old value: it must always give the same.
 *
 * Of a versioned table, changes that are not the newest of their key are left out. Rules of Kafka Streams 4.2
 * (KTableRepartitionMap; KIP-904, KIP-914).
 *
 * @example
 * tableRepartitionMap((connector: Connector, id: string) => ({ key: connector.siteId, value: id }), utf8, false)
 */
export function tableRepartitionMap<K, V, K2, V2>(
  select: SelectGroup<K, V, K2, V2>, key: Codec<K2>, versioned: boolean,
): Operator<K, Change<V>, K2, Change<V2>> {
  const same = (left: K2, right: K2): boolean => Object.is(left, right) ||
    (typeof left === 'object' && typeof right === 'object' && Buffer.compare(key.encode(left), key.encode(right)) === 0);
  const selected = (value: V | null, oldKey: K): { readonly key: K2; readonly value: V2 } | null => {
    const group = value === null ? null : select(value, oldKey) ?? null;
    if (group === null || group.key === null || group.key === undefined || group.value === null || group.value === undefined) return null;
    return { key: group.key, value: group.value };
  };
  return {
    ...stateless,
    kind: 'groupTable',
    changesKey: true,
    build: (context) =>
      handlerStep<StreamRecord<K, Change<V>>, StreamRecord<K2, Change<V2>>>(context, (emit) => ({ key: rowKey, value: change, timestampMs }) => {
        const { isLatest } = change;
        if (versioned && !isLatest) return;
        const after = selected(change.newValue, rowKey);
        const before = selected(change.oldValue, rowKey);
        if (after !== null && before !== null && same(before.key, after.key)) {
          emit({ key: before.key, value: { newValue: after.value, oldValue: before.value, isLatest }, timestampMs });
          return;
        }
        if (before !== null) emit({ key: before.key, value: { newValue: null, oldValue: before.value, isLatest }, timestampMs });
        if (after !== null) emit({ key: after.key, value: { newValue: after.value, oldValue: null, isLatest }, timestampMs });
      }),
  };
}
