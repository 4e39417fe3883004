/** What the product uses of the engine, in one place. */
export type { Operator, RecordOrigin, StreamRecord, Windowed } from '../operators/operator.ts';
export type { Emit } from '../operators/record-step.ts';
export { deduplicate } from '../operators/deduplicate.ts';
export { filter } from '../operators/filter.ts';
export { leftJoinTable } from '../operators/join-table.ts';
export { map } from '../operators/map.ts';
export { mapValues } from '../operators/map-values.ts';
export { statefulOperator } from '../operators/stateful-operator.ts';
export type { StatefulContext } from '../operators/stateful-operator.ts';
export { windowAggregate } from '../operators/window-aggregate.ts';
export { tumbling } from '../operators/windows/time-windows.ts';
export { keyValueStore } from '../state/local/key-value-store.ts';
export type { KeyValueStore, StoreDefinition } from '../state/local-store.ts';
export type { DeadLetter } from '../topology/dead-letter.ts';
export { clickhouse, logTopic } from '../topology/sink.ts';
export type { ColumnType, ColumnValue, TableDefinition } from '../topology/sink.ts';
export { Topology } from '../topology/topology.ts';
