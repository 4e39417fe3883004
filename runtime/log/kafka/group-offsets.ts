import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { kafkaErrorType } from './failure.ts';

type FetchOffsets = Admin['fetchOffsets'];

/** kafkajs asks once. A broker answers so until it has made or loaded its topic of offsets: seconds after its very first start. */
const notReadyTypes: ReadonlySet<string | undefined> = new Set(['NOT_COORDINATOR_FOR_GROUP', 'GROUP_COORDINATOR_NOT_AVAILABLE', 'GROUP_LOAD_IN_PROGRESS']);
const attemptsMax = 50;
const pauseMs = 200;

/** Offsets that a group has committed; waits up to ten seconds for a coordinator that is only just coming up. */
export async function fetchGroupOffsets(admin: Pick<Admin, 'fetchOffsets'>, request: Parameters<FetchOffsets>[0]): Promise<Awaited<ReturnType<FetchOffsets>>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await admin.fetchOffsets(request);
    } catch (error) {
      if (attempt >= attemptsMax || !notReadyTypes.has(kafkaErrorType(error))) throw error;
      await sleep(pauseMs);
    }
  }
}
