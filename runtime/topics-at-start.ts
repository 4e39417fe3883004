import { isPassing, VoltstreamError } from '../errors.ts';
import type { Log, TopicDefinition } from './log/log.ts';
import { BackOff } from './task/back-off.ts';

/** Brokers know a new topic within a second; a controller that moves needs some more. */
const patienceMs = 30_000;

/**
 * Creates the topics that are missing, while other processes may do the same. A topic that is new is not known to every broker at once, so that
 * asking for it may fail for a moment.
 *
 * @throws VoltstreamError PARTITIONS_CHANGED, and what still fails after 30 s
 */
export async function createTopicsAtStart(
  log: Log, topics: readonly TopicDefinition[], signal: AbortSignal, retrying: (operation: string, error: unknown) => void, forMs = patienceMs,
): Promise<void> {
  const untilMs = performance.now() + forMs;
  const backOff = new BackOff(signal);
  for (;;) {
    try {
      await log.createTopics(topics);
      for (const { topic } of topics) {
        if (await log.partitionCount(topic) === null) throw new VoltstreamError('TOPIC_MISSING', 'a topic that was created is not known yet', { where: topic });
      }
      return;
    } catch (error) {
      if (!mayPass(error) || performance.now() > untilMs) throw error;
      retrying('create topics', error);
      await backOff.wait();
    }
  }
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof VoltstreamError)) return false;
  return error.code === 'TOPIC_MISSING' || isPassing(error);
}
