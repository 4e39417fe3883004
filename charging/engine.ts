/** What the product uses of the engine, in one place: its public interface, and nothing behind it. */
export {
  clickhouse, deduplicate, filter, groupedStore, keyTimerStore, keyValueStore, leftJoinTable, logTopic, map, mapValues,
  statefulOperator, statefulStep, Topology, tumbling, windowAggregate,
} from '../index.ts';
export type {
  ColumnType, ColumnValue, DeadLetter, Emit, GroupedStore, KeyProgress, KeyTimerStore, KeyValueStore, Log, LogProducer, LogRecord, Operator, OutboundRecord, RecordOrigin, StatefulContext,
  StoreDefinition, Stream, StreamRecord, TableDefinition, TableReference, TopicDefinition, Windowed,
} from '../index.ts';
