import type { TopicDefinition } from './engine.ts';
import { dataQualityTopic } from './ingest/data-quality.ts';
import { quarantineTopic } from './ingest/quarantine.ts';
import { takenTopic } from './ingest/taken-rows.ts';
import { outageExclusionsTopic, tariffsTopic, vehiclesTopic } from './reference/reference-topics.ts';
import { eventsTopic, sessionsTopic, stationsTopic } from './topology.ts';

/** The product's topics. Event times may be years old, so that time never deletes anything. */
export function chargingTopics(partitions: number): readonly TopicDefinition[] {
  const keep = { 'retention.ms': '-1' };
  const keepVersions = { ...keep, 'cleanup.policy': 'compact', 'min.compaction.lag.ms': '9223372036854775807' };
  return [
    { topic: eventsTopic, partitions, settings: keep },
    { topic: stationsTopic, partitions, settings: keepVersions },
    { topic: vehiclesTopic, partitions, settings: keepVersions },
    { topic: tariffsTopic, partitions, settings: keepVersions },
    { topic: outageExclusionsTopic, partitions, settings: keepVersions },
    { topic: sessionsTopic, partitions, settings: keep },
    { topic: quarantineTopic, partitions, settings: keep },
    { topic: dataQualityTopic, partitions, settings: keep },
    { topic: takenTopic, partitions, settings: keep },
  ];
}
