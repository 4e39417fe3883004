import { setTimeout as sleep } from 'node:timers/promises';
import { createTopicsV7, describeConfigsV4, incrementalAlterConfigsV1 } from '@platformatic/kafka';
import { VoltstreamError } from '../../../errors.ts';
import type { TopicDefinition } from '../log.ts';
import type { Cluster } from './cluster.ts';
import { kafkaErrorType } from './failure.ts';

const topicResource = 2 as const;
const setOperation = 0 as const;
const createTimeoutMs = 30_000;
const leadersPauseMs = 50;

/** Values of these settings as they are in force: the topic's own or the broker's. */
export async function describeTopics(cluster: Cluster, topics: readonly string[], names: readonly string[]): Promise<Map<string, Map<string, string>>> {
  const resources = topics.map((resourceName) => ({ resourceType: topicResource, resourceName, configurationKeys: [...names] }));
  const answer = await cluster.retrying(() => cluster.ask((connection) => describeConfigsV4.api.async(connection, resources, false, false)));
  return new Map(answer.results.map(({ resourceName, configs }) => [
    resourceName, new Map(configs.flatMap(({ name, value }) => (value === null || value === undefined ? [] : [[name, value] as const]))),
  ]));
}

/** Creates what is missing, and holds what exists to its definition. */
export async function settleTopics(cluster: Cluster, definitions: readonly TopicDefinition[]): Promise<void> {
  const names = definitions.map(({ topic }) => topic);
  await cluster.retrying(() => cluster.refresh(names));
  const missing = definitions.filter(({ topic }) => cluster.known(topic) === undefined);
  if (missing.length > 0) await create(cluster, missing);
  for (const definition of definitions) checkPartitions(definition, cluster.known(definition.topic)?.leaders.length ?? 0);
  await settleSettings(cluster, definitions.filter(({ topic, settings }) => settings !== undefined && !missing.some((one) => one.topic === topic)));
}

function checkPartitions({ topic, partitions }: TopicDefinition, count: number): void {
  if (count === partitions) return;
  if (count === 0) throw new VoltstreamError('TOPIC_MISSING', `topic ${topic} was created, and the broker that was asked does not know it yet`, { where: topic });
  throw new VoltstreamError('PARTITIONS_CHANGED', `topic ${topic} has another number of partitions`, { wanted: String(partitions), got: String(count) });
}

async function create(cluster: Cluster, definitions: readonly TopicDefinition[]): Promise<void> {
  const topics = definitions.map(({ topic, partitions, settings }) => ({
    name: topic, numPartitions: partitions, replicationFactor: cluster.options.replicationFactor ?? -1, assignments: [],
    configs: Object.entries(settings ?? {}).map(([name, value]) => ({ name, value })),
  }));
  await cluster.onController((connection) => createTopicsV7.api.async(connection, topics, createTimeoutMs, false)).catch((error: unknown) => {
    // Another process was faster, or an answer was lost: such a topic is checked below. What befell the others counts.
    const all: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
    const other = all.find((one) => kafkaErrorType(one) !== 'TOPIC_ALREADY_EXISTS');
    if (other !== undefined) throw other;
  });
  const names = definitions.map(({ topic }) => topic);
  for (const untilMs = performance.now() + createTimeoutMs; performance.now() < untilMs;) {
    await cluster.retrying(() => cluster.refresh(names));
    if (definitions.every(({ topic, partitions }) => {
      const leaders = cluster.known(topic)?.leaders ?? [];
      return leaders.length >= partitions && leaders.every(({ node }) => node >= 0);
    })) return;
    await sleep(leadersPauseMs);
  }
  throw new VoltstreamError('LOG_UNAVAILABLE', `topics were created but have no leaders after ${createTimeoutMs / 1_000} s: ${names.join(', ')}`);
}

interface Mismatch {
  readonly topic: string;
  readonly setting: string;
  readonly wanted: string;
  readonly got: string;
}

async function settleSettings(cluster: Cluster, definitions: readonly TopicDefinition[]): Promise<void> {
  const names = [...new Set(definitions.flatMap(({ settings }) => Object.keys(settings ?? {})))];
  if (names.length === 0) return;
  const found = await describeTopics(cluster, definitions.map(({ topic }) => topic), names);
  const mismatches = definitions.flatMap(({ topic, settings }) => Object.entries(settings ?? {}).flatMap(([setting, wanted]): Mismatch[] => {
    const got = found.get(topic)?.get(setting) ?? '(unknown)';
    return suffices(setting, wanted, got) ? [] : [{ topic, setting, wanted, got }];
  }));
  if (mismatches.length === 0) return;
  const { onMismatch = 'fail' } = cluster.options;
  if (onMismatch === 'fail') throw misconfigured(mismatches);
  for (const { topic, setting, wanted, got } of mismatches) {
    cluster.notice('warn', `topic ${topic}: ${setting} is ${got}, not ${wanted}${onMismatch === 'repair' ? '; it is set now' : ''}`, { topic, setting, wanted, got });
  }
  if (onMismatch === 'repair') await repair(cluster, mismatches);
}

async function repair(cluster: Cluster, mismatches: readonly Mismatch[]): Promise<void> {
  const resources = [...Map.groupBy(mismatches, ({ topic }) => topic)].map(([resourceName, ofTopic]) => ({
    resourceType: topicResource, resourceName, configs: ofTopic.map(({ setting, wanted }) => ({ name: setting, configOperation: setOperation, value: wanted })),
  }));
  await cluster.onController((connection) => incrementalAlterConfigsV1.api.async(connection, resources, false));
}

function misconfigured(mismatches: readonly Mismatch[]): VoltstreamError {
  const [first] = mismatches;
  const others = mismatches.length === 1 ? '' : ` (and ${mismatches.length - 1} more: ${mismatches.slice(1).map(({ topic, setting }) => `${topic} ${setting}`).join(', ')})`;
  return new VoltstreamError('TOPIC_MISCONFIGURED', `topic ${first!.topic} has another ${first!.setting} than it needs${others}`, {
    where: `${first!.topic} ${first!.setting}`, wanted: first!.wanted, got: first!.got,
    cure: `kafka-configs --alter --entity-type topics --entity-name ${first!.topic} --add-config ${first!.setting}=[${first!.wanted}], or log.topics.onMismatch: repair.`,
  });
}

/** Settings of which more is as good; -1 is for ever. */
const atLeast: ReadonlySet<string> = new Set(['retention.ms', 'retention.bytes', 'min.compaction.lag.ms', 'max.message.bytes', 'message.timestamp.after.max.ms']);

export function suffices(setting: string, wanted: string, got: string): boolean {
  if (got === wanted) return true;
  if (setting === 'cleanup.policy') return policies(got) === policies(wanted);
  if (!atLeast.has(setting)) return false;
  const [wantedNumber, gotNumber] = [wanted, got].map((value) => (value === '-1' ? Number.POSITIVE_INFINITY : Number(value)));
  return gotNumber! >= wantedNumber!;
}

const policies = (value: string): string => value.split(',').map((one) => one.trim()).toSorted().join();
