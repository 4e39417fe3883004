import type { OutboundRecord } from '../../charging/engine.ts';
import { eventsTopic, stationsTopic } from '../../charging/topology.ts';
import { readRecords } from '../../simulator/messages/record-encoder.ts';
import type { Slice } from '../../simulator/simulation.ts';

/** What a slice is in the log: stations of all districts, then their events. */
export function sliceRecords({ districts }: Slice): readonly OutboundRecord[] {
  const records: OutboundRecord[] = [];
  const take = (topic: string, bytes: Uint8Array): void => {
    for (const { key, value, timestampMs } of readRecords(bytes)) records.push({ topic, key, value, timestampMs });
  };
  for (const { segment } of districts) take(stationsTopic, segment.stations);
  for (const { segment } of districts) take(eventsTopic, segment.events);
  return records;
}
