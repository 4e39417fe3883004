/** The workloads of the comparison: what both sides are told. */
export const workloads = ['a', 'b', 'c'] as const;
export type Workload = (typeof workloads)[number];

export const workloadTexts: Readonly<Record<Workload, string>> = {
  a: '1-minute windows by station (count, energy, peak power), changed keys of each commit to a topic',
  b: '1-minute windows by station, each once when it closes, to a topic',
  c: 'join with the table of stations, then session windows by station, changed keys of each commit to a topic',
};

export const eventsTopic = 'peer.events';
export const stationsTopic = 'peer.stations';
/** What a meter value stands for: the power since the one before it. */
export const sampleMs = 10_000;
export const windowMs = 60_000;
/** Events are up to 3 s out of order; a few are later than this, and are dropped by both sides. */
export const graceMs = 5_000;
/** A station without an event for so long has ended its session. */
export const gapMs = 300_000;

/** What a process of either side is told, as JSON in its first argument. */
export interface PeerOptions {
  readonly workload: Workload;
  /** Fresh for each run: group, transactional ids, state. */
  readonly applicationId: string;
  readonly brokers: string;
  readonly registryUrl: string;
  readonly redisUrl: string;
  readonly eventsTopic: string;
  readonly stationsTopic: string;
  readonly outputTopic: string;
  /** Fresh, for what lies on the disk. */
  readonly folder: string;
  readonly partitions: number;
  /** In the log, over all partitions: the run ends when they are processed and committed. */
  readonly events: number;
  readonly windowMs: number;
  readonly graceMs: number;
  readonly gapMs: number;
  readonly commitMs: number;
  /** Kafka Streams with settings for throughput in place of its defaults. */
  readonly tuned: boolean;
}

/** What it says on standard output, a line each; `atMs` by the wall clock. */
export interface PeerMessage {
  readonly kind: 'first' | 'done';
  readonly atMs: number;
}
