/**
 * Every metric of voltstream by name, in this one place. `docs/metrics.md` lists the same, dashboards and alerts may use
 * no other, and tests fail when they disagree. Names end in their unit (`_total`, `_seconds`, `_bytes`), as Prometheus asks.
 *
 * Labels are bounded by what the topology declares (sub-topologies, partitions, steps, sinks, stores): never keys, never
 * offsets, never error texts. Histograms carry no partition, because each of their series is a dozen series.
 */
export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram, in the unit of its name. */
  readonly buckets?: readonly number[];
}

const task = ['sub_topology', 'partition'] as const;

/** From a small batch in memory (0.1 ms) to one that stalls the process (10 s). */
const processingBuckets = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 10];
/** From one LMDB transaction (0.5 ms) to a store that is failing over (30 s). */
const commitBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];
/** From one insert into a warm table (5 ms) to a sink that was down for minutes. */
const deliveryBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300];
/** From an empty task (1 ms) to two million keys over the network. */
const restoreBuckets = [0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];

export const metricCatalogue = {
  sourceRecords: {
    kind: 'counter', name: 'voltstream_source_records_total', labels: [...task, 'topic'],
    help: 'Records read from an input topic and handed to the task.',
  },
  sourceLag: {
    kind: 'gauge', name: 'voltstream_source_lag_records', labels: [...task, 'topic'],
    help: 'Records between the position of the task and the end of the input partition.',
  },
  recordsIn: {
    kind: 'counter', name: 'voltstream_step_records_in_total', labels: [...task, 'step'],
    help: 'Records that entered a step.',
  },
  recordsOut: {
    kind: 'counter', name: 'voltstream_step_records_out_total', labels: [...task, 'step'],
    help: 'Records that a step emitted.',
  },
  late: {
    kind: 'counter', name: 'voltstream_step_late_records_total', labels: [...task, 'step'],
    help: 'Records that came after their window had closed; they went to the late output of the step.',
  },
  dropped: {
    kind: 'counter', name: 'voltstream_step_dropped_records_total', labels: [...task, 'step', 'reason'],
    help: 'Records that a step left out, by reason: late, null-key, null-value, expired, out-of-order (behind the newest version of a table), duplicate, malformed.',
  },
  deadLetters: {
    kind: 'counter', name: 'voltstream_dead_letters_total', labels: [...task, 'step', 'stage'],
    help: 'Records set aside with their bytes and reason; stage is deserialise (step is the source), process or deliver (step is the sink).',
  },
  processing: {
    kind: 'histogram', name: 'voltstream_process_batch_duration_seconds', labels: ['sub_topology'],
    buckets: processingBuckets,
    help: 'Time for decoding and processing one batch of one input partition.',
  },
  commit: {
    kind: 'histogram', name: 'voltstream_commit_duration_seconds', labels: ['sub_topology'], buckets: commitBuckets,
    help: 'Time for one atomic commit of a task to the state store.',
  },
  commitCells: {
    kind: 'counter', name: 'voltstream_commit_cells_total', labels: ['sub_topology'],
    help: 'Changed cells that commits carried to the state store.',
  },
  streamTimeLag: {
    kind: 'gauge', name: 'voltstream_stream_time_lag_seconds', labels: [...task],
    help: 'Wall-clock time minus the highest stream time of the task; large while history is replayed.',
  },
  outboxRows: {
    kind: 'gauge', name: 'voltstream_outbox_rows', labels: [...task, 'sink'],
    help: 'Rows or records committed but not yet acknowledged by the sink.',
  },
  outboxBytes: {
    kind: 'gauge', name: 'voltstream_outbox_bytes', labels: [...task, 'sink'],
    help: 'Encoded bytes committed but not yet acknowledged by the sink.',
  },
  delivered: {
    kind: 'counter', name: 'voltstream_delivered_rows_total', labels: [...task, 'sink'],
    help: 'Rows or records that a sink has acknowledged.',
  },
  delivery: {
    kind: 'histogram', name: 'voltstream_delivery_duration_seconds', labels: ['sink'], buckets: deliveryBuckets,
    help: 'Time from handing a sealed batch to a sink until its acknowledgement, re-sends included.',
  },
  stateEntries: {
    kind: 'gauge', name: 'voltstream_state_entries', labels: [...task, 'store'],
    help: 'Entries of a store in the memory of the task.',
  },
  stateBytes: {
    kind: 'gauge', name: 'voltstream_state_bytes', labels: [...task, 'store'],
    help: 'Encoded bytes of a store, for stores that count them.',
  },
  stateServerUsed: {
    kind: 'gauge', name: 'voltstream_state_server_used_bytes', labels: [],
    help: 'Memory that Redis uses, over all masters; not there where the state store has no server, or does not tell.',
  },
  stateServerMax: {
    kind: 'gauge', name: 'voltstream_state_server_max_bytes', labels: [],
    help: 'Limit of the memory of Redis (maxmemory), over all masters; not there where it has none.',
  },
  restore: {
    kind: 'histogram', name: 'voltstream_restore_duration_seconds', labels: ['sub_topology'], buckets: restoreBuckets,
    help: 'Time for claiming a task and loading its state.',
  },
  claims: {
    kind: 'counter', name: 'voltstream_claims_total', labels: ['sub_topology'],
    help: 'Claims of tasks that succeeded.',
  },
  fences: {
    kind: 'counter', name: 'voltstream_fences_total', labels: ['sub_topology'],
    help: 'Tasks lost because another process had claimed them.',
  },
  rewinds: {
    kind: 'counter', name: 'voltstream_rewinds_total', labels: ['sub_topology'],
    help: 'Times the state store was found to have lost commits.',
  },
  simulatedMessages: {
    kind: 'counter', name: 'voltstream_simulated_messages_total', labels: [],
    help: 'Messages of simulated stations that this process has put into the log: of live ones after the shipped data.',
  },
  retries: {
    kind: 'counter', name: 'voltstream_retries_total', labels: ['operation'],
    help: 'Calls to a store, log, sink or registry that were repeated.',
  },
  tasks: {
    kind: 'gauge', name: 'voltstream_tasks', labels: ['sub_topology'],
    help: 'Tasks that this process runs.',
  },
  paused: {
    kind: 'gauge', name: 'voltstream_task_paused', labels: [...task, 'reason'],
    help: '1 while a task reads no input, by reason.',
  },
  memoryUsed: {
    kind: 'gauge', name: 'voltstream_memory_used_bytes', labels: [],
    help: 'Memory of this process that counts against its limit (resident set).',
  },
  memoryLimit: {
    kind: 'gauge', name: 'voltstream_memory_limit_bytes', labels: [],
    help: 'Memory that this process may take: memory.limitMb, or a share of the container or machine.',
  },
  memoryPaused: {
    kind: 'gauge', name: 'voltstream_memory_paused', labels: [],
    help: '1 while tasks read no input because memory is full.',
  },
  workerRestarts: {
    kind: 'counter', name: 'voltstream_worker_restarts_total', labels: ['worker_name'],
    help: 'Deaths of workers of run --workers, each followed by another start; counted by their supervisor.',
  },
  pod: {
    kind: 'gauge', name: 'voltstream_pod_info', labels: ['application', 'pod'],
    help: 'Always 1; the labels say which process this is.',
  },
  build: {
    kind: 'gauge', name: 'voltstream_build_info', labels: ['version', 'node_version'],
    help: 'Always 1; the labels say what runs.',
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricKey = keyof typeof metricCatalogue;
