/** What the product uses of the engine, in one place: its public interface, and nothing behind it. */
export {
  clickhouse, deduplicate, filter, keyValueStore, leftJoinTable, logTopic, map, mapValues, statefulOperator, Topology, tumbling, windowAggregate,
} from '../index.ts';
export type {
  ColumnType, ColumnValue, DeadLetter, Emit, KeyValueStore, LogProducer, Operator, OutboundRecord, RecordOrigin, StatefulContext,
  StoreDefinition, StreamRecord, TableDefinition, TopicDefinition, Windowed,
} from '../index.ts';
