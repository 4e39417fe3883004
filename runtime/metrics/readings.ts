import { CounterTotals } from './counter-totals.ts';
import type { MetricKey } from './catalogue.ts';
import type { TaskMetricsSource } from './task-metrics-source.ts';

/** Metrics that are read from tasks when someone looks, and that only ever rise. */
export const pulledCounters = [
  'sourceRecords', 'recordsIn', 'recordsOut', 'late', 'dropped', 'deadLetters', 'delivered',
] as const satisfies readonly MetricKey[];

/** Metrics that are read from tasks when someone looks, and that vanish with their task. */
export const pulledGauges = [
  'sourceLag', 'streamTimeLag', 'outboxRows', 'outboxBytes', 'stateEntries', 'stateBytes', 'tasks', 'paused',
] as const satisfies readonly MetricKey[];

export type PulledCounter = (typeof pulledCounters)[number];
export type PulledGauge = (typeof pulledGauges)[number];

export type CounterReadings = Readonly<Record<PulledCounter, CounterTotals>>;
export type GaugeReadings = Readonly<Record<PulledGauge, CounterTotals>>;

export function emptyCounterReadings(): CounterReadings {
  return {
    sourceRecords: new CounterTotals(), recordsIn: new CounterTotals(), recordsOut: new CounterTotals(),
    late: new CounterTotals(), dropped: new CounterTotals(), deadLetters: new CounterTotals(),
    delivered: new CounterTotals(),
  };
}

/** Adds what a task has counted to `into`. Zeros, too: Prometheus sees no increase in a series that begins at one. */
export function readCounters(task: TaskMetricsSource, into: CounterReadings): void {
  const partition = String(task.partition);
  for (const source of task.sources) {
    into.sourceRecords.add([task.subTopology, partition, source.topic], source.records);
    into.deadLetters.add([task.subTopology, partition, source.topic, 'deserialise'], source.failed);
  }
  for (const step of task.steps) {
    const labels = [task.subTopology, partition, step.step];
    into.recordsIn.add(labels, step.recordsIn);
    into.recordsOut.add(labels, step.recordsOut);
    into.late.add(labels, step.late);
    for (const [reason, count] of Object.entries(step.droppedByReason)) into.dropped.add([...labels, reason], count);
    into.deadLetters.add([...labels, 'process'], step.failed);
  }
  for (const sink of task.outbox) {
    const labels = [task.subTopology, partition, sink.sink];
    into.delivered.add(labels, sink.deliveredRows);
    into.deadLetters.add([...labels, 'deliver'], sink.failed);
  }
}

/** What all tasks show at this moment. */
export function readGauges(tasks: Iterable<TaskMetricsSource>, nowMs: number): GaugeReadings {
  const gauges: GaugeReadings = {
    sourceLag: new CounterTotals(), streamTimeLag: new CounterTotals(), outboxRows: new CounterTotals(),
    outboxBytes: new CounterTotals(), stateEntries: new CounterTotals(), stateBytes: new CounterTotals(),
    tasks: new CounterTotals(), paused: new CounterTotals(),
  };
  for (const task of tasks) {
    const labels = [task.subTopology, String(task.partition)];
    gauges.tasks.add([task.subTopology], 1);
    if (task.pausedBy !== null) gauges.paused.add([...labels, task.pausedBy], 1);
    if (task.streamTimeMs >= 0) gauges.streamTimeLag.add(labels, (nowMs - task.streamTimeMs) / 1000);
    for (const source of task.sources) {
      if (source.lagRecords !== null) gauges.sourceLag.add([...labels, source.topic], source.lagRecords);
    }
    for (const sink of task.outbox) {
      gauges.outboxRows.add([...labels, sink.sink], sink.rows);
      gauges.outboxBytes.add([...labels, sink.sink], sink.bytes);
    }
    for (const store of task.stores) {
      gauges.stateEntries.add([...labels, store.store], store.entries);
      if (store.bytes !== null) gauges.stateBytes.add([...labels, store.store], store.bytes);
    }
  }
  return gauges;
}
