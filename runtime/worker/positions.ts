import { VoltstreamError } from '../../errors.ts';
import type { Log } from '../log/log.ts';
import type { TaskCore } from '../task/task-core.ts';

export interface PositionPolicy {
  readonly onOffsetOutOfRange: 'fail' | 'earliest';
  /** The user has asked to start over: missing state is no error. */
  readonly reset: boolean;
  /** Something worth telling: a gap that was accepted, a store that was rewound. */
  readonly notice: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

/**
 * Tells each of a task's partitions where to read. The store decides, never the group (Law 3): the group's offset, read after the claim, only
 * shows that state is missing, or that the store went back. The log's bounds are asked for now, since records came while the state was loaded.
 *
 * @throws VoltstreamError STATE_MISSING when there is a group offset but no state; OFFSET_OUT_OF_RANGE when the log does not hold
 * the position of the state and the policy is to fail.
 */
export async function startPositions(core: TaskCore, log: Log, groupOffsets: Promise<readonly (number | null)[]>, policy: PositionPolicy): Promise<void> {
  const [offsets, ...allBounds] = await Promise.all([
    groupOffsets, ...core.queues.map((queue) => log.bounds({ topic: queue.source.topic, partition: queue.partition })),
  ]);
  for (const [index, queue] of core.queues.entries()) {
    const where = `task ${core.id}, ${queue.source.topic}-${queue.partition}`;
    const bounds = allBounds[index] as { readonly start: number; readonly end: number };
    const stored = core.committedPosition(queue.source);
    const group = offsets[index] ?? null;
    if (stored === undefined) {
      // Also when other inputs of the task have state: a topic that was read by another sub-topology leaves its state there.
      if (group !== null && group > bounds.start && !policy.reset) {
        throw new VoltstreamError('STATE_MISSING', 'the group has read this partition before, but there is no state', {
          where, wanted: 'a position in the state store', got: `group offset ${group}, no state`,
        });
      }
      queue.start(bounds.start, bounds.end);
      continue;
    }
    if (group !== null && group > stored) {
      policy.notice('the state store is behind the group: it was rewound, and the difference is read again', { where, stored, group });
    }
    queue.start(positionWithin(stored, bounds, where, policy), bounds.end);
  }
}

/** The stored position, or the log's oldest record when it is out of range and the policy allows that. */
export function positionWithin(
  stored: number, bounds: { readonly start: number; readonly end: number }, where: string, policy: PositionPolicy,
): number {
  if (stored >= bounds.start && stored <= bounds.end) return stored;
  if (policy.onOffsetOutOfRange === 'earliest') {
    policy.notice('the position of the state is not in the log: going on from its oldest record', { where, stored, ...bounds });
    return bounds.start;
  }
  throw new VoltstreamError('OFFSET_OUT_OF_RANGE', 'the position of the state is not in the log', {
    where, wanted: `an offset from ${bounds.start} to ${bounds.end}`, got: String(stored),
  });
}
