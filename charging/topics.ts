import type { TopicDefinition } from './engine.ts';
import { quarantineTopic } from './ingest/quarantine.ts';
import { eventsTopic, sessionsTopic, stationsTopic } from './topology.ts';

/** The product's topics. Event times may be years old, so that time never deletes anything. */
export function chargingTopics(partitions: number): readonly TopicDefinition[] {
  const keep = { 'retention.ms': '-1' };
  return [
    { topic: eventsTopic, partitions, settings: keep },
    { topic: stationsTopic, partitions, settings: { ...keep, 'cleanup.policy': 'compact', 'min.compaction.lag.ms': '9223372036854775807' } },
    { topic: sessionsTopic, partitions, settings: keep },
    { topic: quarantineTopic, partitions, settings: keep },
  ];
}
