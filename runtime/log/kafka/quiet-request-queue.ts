/**
 * kafkajs 2.2.4 looks after its request queue every millisecond, on each connection, for as long as it lives: it schedules the
 * next look even when nothing waits, by a time in the past (Node prints TimeoutNegativeWarning). Here it is scheduled only
 * while requests wait or the broker throttles. Whoever sends looks at the queue by itself, so nothing is late.
 */
import { createRequire } from 'node:module';

interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
}

interface RequestQueueClass {
  readonly prototype: { scheduleCheckPendingRequests: (this: RequestQueue) => void };
}

const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as RequestQueueClass;
const schedule = prototype.scheduleCheckPendingRequests;

prototype.scheduleCheckPendingRequests = function scheduleWhenNeeded(this: RequestQueue): void {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
};
