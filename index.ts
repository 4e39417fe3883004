/** The public interface of voltstream. What is not exported here (or in `voltstream/testing`) may change at any time. */

// Topologies: sources, pipes and sinks as a value.
export { Topology } from './topology/topology.ts';
export { Stream } from './topology/stream.ts';
export type { RepartitionOptions, Step } from './topology/stream.ts';
export { GlobalTable, Table } from './topology/table.ts';
export type { TableOptions } from './topology/table.ts';
export type { ForeignKeyForms } from './topology/foreign-key-joins.ts';
export { GroupedStream } from './topology/grouped-stream.ts';
export type { AggregateOptions, GroupedForm } from './topology/grouped-stream.ts';
export { GroupedTable } from './topology/grouped-table.ts';
export type { TableAggregateOptions } from './topology/grouped-table.ts';
export { CogroupedStream } from './topology/cogrouped-stream.ts';
export type { CogroupFold, CogroupOptions } from './topology/cogrouped-stream.ts';
export { SessionWindowedCogroup, TimeWindowedCogroup } from './topology/windowed-cogroup.ts';
export type { SessionCogroupOptions, WindowedCogroupOptions } from './topology/windowed-cogroup.ts';
export type { Fold } from './operators/aggregate.ts';
export type { TableReduceFolds } from './operators/table-aggregate.ts';
export type { SelectGroup } from './operators/table-repartition-map.ts';
export type { BuiltTopology, StreamForm, SubTopology, TopicForm } from './topology/graph.ts';
export { SessionWindowedStream, TimeWindowedStream } from './topology/windowed-stream.ts';
export type { SessionAggregation, SessionWindowed, TimeWindowed, WindowedAggregateOptions, WindowEmission } from './topology/windowed-stream.ts';
export { WindowedResults, WindowedTable } from './topology/windowed-table.ts';

// Sinks: rows into ClickHouse, records into a topic, what could not be processed.
export { clickhouse, logTopic } from './topology/sink.ts';
export type { ColumnType, ColumnValue, LogSink, RecordHeader, SinkDefinition, TableDefinition, WarehouseSink } from './topology/sink.ts';
export { deadLetterTopic } from './topology/dead-letter.ts';
export type { DeadLetter } from './topology/dead-letter.ts';
export type { ErrorPolicies, ErrorPolicy, ErrorStage, FinalErrorPolicy, RetryPolicy } from './topology/error-policy.ts';

// Stateless steps.
export { branch } from './operators/branch.ts';
export type { Branches } from './operators/branch.ts';
export { filter, filterNot } from './operators/filter.ts';
export { flatMap } from './operators/flat-map.ts';
export { flatMapValues } from './operators/flat-map-values.ts';
export { forEach } from './operators/for-each.ts';
export { map } from './operators/map.ts';
export { mapValues } from './operators/map-values.ts';
export { peek } from './operators/peek.ts';
export { rxjsStep } from './operators/rxjs-step.ts';
export { selectKey } from './operators/select-key.ts';

// Windows and what is computed over them.
export { windowAggregate } from './operators/window-aggregate.ts';
export type { WindowAggregateOptions } from './operators/window-aggregate.ts';
export type { PeriodicEmission, Rollup } from './operators/windows/periodic-emission.ts';
export { sessionAggregate } from './operators/session-aggregate.ts';
export type { SessionAggregateOptions, SessionResult } from './operators/session-aggregate.ts';
export { sessions } from './operators/windows/session-windows.ts';
export type { SessionWindows } from './operators/windows/session-windows.ts';
export { untilTimeLimit, untilWindowCloses } from './operators/suppress.ts';
export type { BufferLimits, EagerBuffer, StrictBuffer, UntilTimeLimit, UntilWindowCloses } from './operators/suppress.ts';
export { hopping, tumbling } from './operators/windows/time-windows.ts';
export type { TimeWindows } from './operators/windows/time-windows.ts';
export { sliding } from './operators/windows/sliding-windows.ts';
export type { SlidingWindows } from './operators/windows/sliding-windows.ts';

// Joins.
export { joinStream, leftJoinStream, outerJoinStream } from './operators/join-stream.ts';
export type { StreamJoinOptions } from './operators/join-stream.ts';
export { joinTable, leftJoinTable } from './operators/join-table.ts';
export type { JoinGrace } from './operators/join-table.ts';
export { joinGlobalTable, leftJoinGlobalTable } from './operators/join-global-table.ts';

// Steps that remember: deduplication, and your own.
export { deduplicate } from './operators/deduplicate.ts';
export type { DeduplicateOptions } from './operators/deduplicate.ts';
export { detectSilence } from './operators/detect-silence.ts';
export type { DetectSilenceOptions, Silence } from './operators/detect-silence.ts';
export { statefulOperator, statefulStep } from './operators/stateful-operator.ts';
export type {
  OpenedStores, Punctuator, StatefulContext, StatefulOptions, StatefulStart, StatefulStepOptions, StoreDefinitions,
} from './operators/stateful-operator.ts';

// What steps see: records, keys of windows, where a record came from.
export type {
  Operator, RecordOrigin, Schedule, StepContext, StreamRecord, StreamReference, StreamTime, TableLookup, TableReference, Windowed,
} from './operators/operator.ts';
export type { Change } from './operators/table-source.ts';
export type { Emit } from './operators/record-step.ts';

// Stores of a step: by key, by group and member, by time and key, by key with versions; each key's own time and timers.
export { keyValueStore } from './state/local/key-value-store.ts';
export { groupedStore } from './state/local/grouped-store.ts';
export { keyTimerStore } from './state/local/key-timer-store.ts';
export { timeKeyStore } from './state/local/time-key-store.ts';
export { versionedStore } from './state/local/versioned-store.ts';
export { timestamped } from './state/local/timestamped.ts';
export type { Timestamped } from './state/local/timestamped.ts';
export type {
  GroupedStore, KeyProgress, KeyTimerStore, KeyValueStore, LocalStore, StoreDefinition, TimeKeyEntry, TimeKeyStore, VersionedStore,
} from './state/local-store.ts';

// Codecs: how keys and values become bytes.
export { bytes, float64, int64, json, pair, utf8, windowedKey } from './schemas/builtin-codecs.ts';
export { avroCodec, registered } from './schemas/avro-codec.ts';
export { composite } from './schemas/codec-evolution.ts';
export { encodeInto } from './schemas/encode-into.ts';
export type { ByteWriter } from './schemas/byte-writer.ts';
export type { Codec, CodecDescription, CodecEvolution, Form, RegisteredForm } from './schemas/codec.ts';

// Running a topology: configuration, ports, the application, metrics, log lines, tables.
export { Application } from './runtime/application.ts';
export type { ApplicationOptions } from './runtime/application.ts';
export { loadConfiguration, printConfiguration } from './runtime/configuration.ts';
export type { Configuration, ConfigurationSources } from './runtime/configuration.ts';
export { portsOf } from './runtime/ports.ts';
export type { Ports } from './runtime/ports.ts';
export { EngineMetrics } from './runtime/metrics.ts';
export type { EngineMetricsOptions } from './runtime/metrics.ts';
export { tracing } from './runtime/tracing.ts';
export type {
  BatchProcessed, CommitTrace, DeadLetterTold, DeliveryTrace, RetryTold, TaskClaimed, TaskDropped, TaskStopped, TraceChannel,
} from './runtime/tracing.ts';
export { createLogger } from './runtime/logger.ts';
export type { Logger, LoggerOptions } from './runtime/logger.ts';
export { redactionOf, secretsOf } from './runtime/logger/redaction.ts';
export type { Redaction } from './runtime/logger/redaction.ts';
export { memoryLimitOf } from './runtime/memory/limit.ts';
export { MemoryGuard } from './runtime/memory/memory-guard.ts';
export type { MemoryGuardOptions, MemoryUse } from './runtime/memory/memory-guard.ts';
export { podIdOf } from './runtime/pod.ts';
export { migrate, readMigrations } from './runtime/migrations.ts';
export type { Migration, MigrationOptions, MigrationOutcome } from './runtime/migrations.ts';

// Committed state, read from any process.
export { committedState, CommittedState } from './runtime/queries/committed-state.ts';
export type { StoreSummary } from './runtime/queries/committed-state.ts';
export { CommittedGroups, CommittedKeyValues, CommittedVersions, CommittedWindows } from './runtime/queries/committed-stores.ts';
export type { KeyEntry, MemberEntry, TimeEntry, TimeRange, VersionEntry } from './runtime/queries/committed-stores.ts';
export type { PageOptions, StatePage } from './runtime/queries/state-page.ts';

// Savepoints: all state of an application as one file.
export { exportSavepoint } from './runtime/savepoint/export-savepoint.ts';
export type { ExportOptions, SavepointProgress, SavepointSummary } from './runtime/savepoint/export-savepoint.ts';
export { importSavepoint } from './runtime/savepoint/import-savepoint.ts';
export type { ImportOptions } from './runtime/savepoint/import-savepoint.ts';

// The ports themselves, for whoever writes to the log, reads committed state or brings an implementation of their own.
export type { Log, LogProducer, LogRecord, OutboundRecord, TopicDefinition, TopicPartition, WriterMark } from './runtime/log/log.ts';
export type { SchemaRegistry, WireReader, WireWriter } from './schemas/codec.ts';
export type { Cell, CellPage, CellRange, StateStore, StoreSize, TaskSummary } from './state/state-store.ts';
export type { Warehouse, WarehouseInsert } from './runtime/sinks/warehouse.ts';

// Errors: each with a code, what to do about it, and where it happened.
export { errorCatalogue, isPassing, VoltstreamError } from './errors.ts';
export type { ErrorCode, ErrorDetails } from './errors.ts';
