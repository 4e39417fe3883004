/** Simulates some of the districts, so many slices at a time as it is asked for. */
import { parentPort, workerData } from 'node:worker_threads';
import { assertInvariant } from '../errors.ts';
import type { GroupOptions } from './district-group.ts';
import { DistrictGroup } from './district-group.ts';
import type { WorkerBuilt, WorkerReply } from './simulation.ts';

const port = parentPort;
assertInvariant(port !== null, 'this file runs in a worker thread');
const group = new DistrictGroup(workerData as GroupOptions, (built) => port.postMessage({ built } satisfies WorkerBuilt));
port.on('message', (count: number) => {
  const slices = group.advance(count);
  const buffers = new Set<ArrayBuffer>();
  for (const slice of slices) {
    for (const { segment, ledger } of slice) {
      for (const bytes of [segment.events, segment.stations, ledger?.sessions, ledger?.statuses, ledger?.faults]) {
        if (bytes !== undefined && bytes.length > 0) buffers.add(bytes.buffer as ArrayBuffer);
      }
    }
  }
  port.postMessage({ slices, figures: group.figures } satisfies WorkerReply, [...buffers]);
});
