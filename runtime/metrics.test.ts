import { describe, expect, it } from 'vitest';
import { EngineMetrics, metricCatalogue } from './metrics.ts';
import type { StepCounters, TaskMetricsSource } from './metrics.ts';

function task(counts: { recordsIn: number; lag?: number; late?: number; pausedBy?: string }): TaskMetricsSource {
  const steps: StepCounters[] = [{
    step: 'per-minute', recordsIn: counts.recordsIn, recordsOut: 1, late: counts.late ?? 0,
    droppedByReason: counts.late === undefined ? {} : { late: counts.late }, failed: 2,
  }];
  return {
    subTopology: 'main', partition: 3, steps, streamTimeMs: 1_000, pausedBy: counts.pausedBy ?? null,
    sources: [{ topic: 'events', records: counts.recordsIn, failed: 1, lagRecords: counts.lag ?? null }],
    outbox: [{ sink: 'table', rows: 5, bytes: 50, deliveredRows: 7, failed: 4 }],
    stores: [{ store: 'per-minute', entries: 11, bytes: null }],
  };
}

const quiet = { nodeMetrics: false, nowMs: () => 61_000 };
const lineOf = async (metrics: EngineMetrics, start: string) =>
  (await metrics.text()).split('\n').filter((line) => line.startsWith(start));

describe('metrics', () => {
  it('read the counters of a task when scraped, not before', async () => {
    const metrics = new EngineMetrics(quiet);
    const counts = { recordsIn: 1, lag: 9, late: 4 };
    const live = task(counts);
    const step = live.steps[0] as { -readonly [Name in keyof StepCounters]: StepCounters[Name] };
    metrics.registerTask(live);
    step.recordsIn = 40;
    expect(await lineOf(metrics, 'voltstream_step_records_in_total')).toEqual([
      'voltstream_step_records_in_total{sub_topology="main",partition="3",step="per-minute"} 40',
    ]);
    expect(await lineOf(metrics, 'voltstream_step_dropped')).toEqual([
      'voltstream_step_dropped_records_total{sub_topology="main",partition="3",step="per-minute",reason="late"} 4',
    ]);
    expect(await lineOf(metrics, 'voltstream_dead_letters')).toEqual([
      'voltstream_dead_letters_total{sub_topology="main",partition="3",step="events",stage="deserialise"} 1',
      'voltstream_dead_letters_total{sub_topology="main",partition="3",step="per-minute",stage="process"} 2',
      'voltstream_dead_letters_total{sub_topology="main",partition="3",step="table",stage="deliver"} 4',
    ]);
    expect(await lineOf(metrics, 'voltstream_stream_time_lag')).toEqual([
      'voltstream_stream_time_lag_seconds{sub_topology="main",partition="3"} 60',
    ]);
  });

  it('show a task with zeros before anything happens, so that the first dead letter is an increase', async () => {
    const metrics = new EngineMetrics(quiet);
    metrics.registerTask({ ...task({ recordsIn: 0 }), sources: [{ topic: 'events', records: 0, failed: 0, lagRecords: 0 }] });
    expect(await lineOf(metrics, 'voltstream_dead_letters')).toContain(
      'voltstream_dead_letters_total{sub_topology="main",partition="3",step="events",stage="deserialise"} 0',
    );
    expect(await lineOf(metrics, 'voltstream_rewinds')).toEqual(['voltstream_rewinds_total{sub_topology="main"} 0']);
  });

  it('give the same text for two scrapes when nothing happened between them', async () => {
    const metrics = new EngineMetrics(quiet);
    metrics.registerTask(task({ recordsIn: 3, lag: 0 }));
    metrics.committed('main', 3, 10);
    expect(await metrics.text()).toBe(await metrics.text());
  });

  it('never let a counter fall when a task leaves and comes back, while its gauges vanish', async () => {
    const metrics = new EngineMetrics(quiet);
    const leave = metrics.registerTask(task({ recordsIn: 10, lag: 5, pausedBy: 'outbox full' }));
    expect(await lineOf(metrics, 'voltstream_task_paused')).toHaveLength(1);
    leave();
    leave();
    expect(metrics.totals()).toMatchObject({ sourceRecords: 10, lagRecords: 0, outboxRows: 0, tasks: 0, deliveredRows: 7 });
    expect(await lineOf(metrics, 'voltstream_source_records_total')).toEqual([
      'voltstream_source_records_total{sub_topology="main",partition="3",topic="events"} 10',
    ]);
    expect(await lineOf(metrics, 'voltstream_source_lag_records')).toEqual([]);
    metrics.registerTask(task({ recordsIn: 1 }));
    expect(metrics.totals()).toMatchObject({ sourceRecords: 11, deadLetters: 14, tasks: 1 });
  });

  it('count what happens once per batch, commit, delivery and claim', async () => {
    const metrics = new EngineMetrics(quiet);
    metrics.batchProcessed('main', 2);
    metrics.committed('main', 7, 100);
    metrics.delivered('table', 30);
    metrics.claimed('main', 500);
    metrics.fenced('main');
    metrics.rewound('main');
    metrics.retried('deliver');
    const text = await metrics.text();
    for (const line of [
      'voltstream_process_batch_duration_seconds_count{sub_topology="main"} 1',
      'voltstream_commit_duration_seconds_sum{sub_topology="main"} 0.007',
      'voltstream_commit_cells_total{sub_topology="main"} 100',
      'voltstream_delivery_duration_seconds_bucket{le="0.05",sink="table"} 1',
      'voltstream_claims_total{sub_topology="main"} 1',
      'voltstream_restore_duration_seconds_sum{sub_topology="main"} 0.5',
      'voltstream_fences_total{sub_topology="main"} 1',
      'voltstream_rewinds_total{sub_topology="main"} 1',
      'voltstream_retries_total{operation="deliver"} 1',
    ]) expect(text).toContain(line);
  });

  it('bring every metric of the catalogue and those of Node into the exposition', async () => {
    const text = await new EngineMetrics({ version: '1.2.3' }).text();
    for (const { name, kind } of Object.values(metricCatalogue)) expect(text).toContain(`# TYPE ${name} ${kind}\n`);
    expect(text).toContain('nodejs_eventloop_lag_seconds');
    expect(text).toContain('version="1.2.3"');
  });

  it('have names with prefix and unit, by the conventions of Prometheus', () => {
    const names = Object.values(metricCatalogue).map((metric) => metric.name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, kind, labels } of Object.values(metricCatalogue)) {
      expect(name).toMatch(/^voltstream_[a-z_]+$/);
      if (kind === 'counter') expect(name).toMatch(/_total$/);
      if (kind === 'histogram') expect(name).toMatch(/_seconds$/);
      if (kind === 'histogram') expect(labels).not.toContain('partition');
    }
  });

  describe('of many tasks with many steps', () => {
    const reasons = ['late', 'null-key', 'null-value', 'expired', 'out-of-order', 'duplicate', 'malformed'] as const;
    const [tasks, steps] = [16, 40];
    const many = async (options: { readonly steps?: boolean }): Promise<readonly string[]> => {
      const metrics = new EngineMetrics({ ...quiet, ...options, pod: { application: 'city', id: 'pod-1' } });
      metrics.watchMemory(() => ({ usedBytes: 1, limitBytes: 2, paused: false }));
      for (let partition = 0; partition < tasks; partition++) {
        const counters = Array.from({ length: steps }, (_unused, step): StepCounters => ({
          step: `step-${step}`, recordsIn: 1, recordsOut: 1, late: 1, failed: step === 0 ? 1 : 0,
          droppedByReason: Object.fromEntries(reasons.map((reason) => [reason, 1])),
        }));
        // Claimed twice, as after a rebalance: the same series, not others.
        for (let claim = 0; claim < 2; claim++) metrics.registerTask({ ...task({ recordsIn: 1, lag: 1, pausedBy: 'outbox of table is full' }), partition, steps: counters })();
        metrics.registerTask({ ...task({ recordsIn: 1, lag: 1, pausedBy: 'outbox of table is full' }), partition, steps: counters });
        metrics.committed('main', 1, 1);
        metrics.delivered('table', 1);
      }
      return (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    };
    /** What a task has once for itself, its source, its sink and its store; and what the process has once. */
    const [perTask, perProcess] = [12, 110];

    it('has no more series than tasks times steps allow, however often tasks move', async () => {
      const lines = await many({});
      expect(new Set(lines.map((line) => line.slice(0, line.lastIndexOf(' ')))).size).toBe(lines.length);
      expect(lines.length).toBeGreaterThan(tasks * steps * 11);
      expect(lines.length).toBeLessThanOrEqual(tasks * (steps * (4 + reasons.length) + perTask) + perProcess);
    });

    it('has none of steps when these are turned off, but dead letters that there are', async () => {
      const lines = await many({ steps: false });
      expect(lines.length).toBeLessThanOrEqual(tasks * (perTask + 1) + perProcess);
      expect(lines.filter((line) => line.includes('step="step-'))).toHaveLength(tasks);
      expect(lines.filter((line) => line.includes('step="step-')).every((line) => line.startsWith('voltstream_dead_letters_total'))).toBe(true);
    });
  });

  it('say which process of which application this is, and what memory it has', async () => {
    const metrics = new EngineMetrics({ ...quiet, pod: { application: 'city', id: 'pod-1' } });
    const memory = { usedBytes: 10, limitBytes: 20, paused: true };
    metrics.watchMemory(() => memory);
    expect(await lineOf(metrics, 'voltstream_pod_info')).toEqual(['voltstream_pod_info{application="city",pod="pod-1"} 1']);
    expect(await lineOf(metrics, 'voltstream_memory')).toEqual(['voltstream_memory_used_bytes 10', 'voltstream_memory_limit_bytes 20', 'voltstream_memory_paused 1']);
  });
});
