/** What the product uses of the engine, in one place: its public interface, and nothing behind it. */
export {
  clickhouse, deduplicate, filter, groupedStore, keyTimerStore, keyValueStore, leftJoinTable, logTopic, map, mapValues,
  statefulOperator, statefulStep, timeKeyStore, Topology, tumbling, windowAggregate,
} from '../index.ts';
export type {
  ColumnType, ColumnValue, DeadLetter, Emit, GroupedStore, KeyProgress, KeyTimerStore, KeyValueStore, Log, LogProducer, LogRecord, Operator, OutboundRecord, RecordOrigin, StatefulContext,
  StoreDefinition, Stream, StreamRecord, StreamReference, TableDefinition, TableReference, TimeKeyStore, TopicDefinition, Warehouse, Windowed,
} from '../index.ts';
