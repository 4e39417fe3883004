import type { Operator, StreamRecord, Windowed } from '../../operators/operator.ts';
import { statefulStep } from '../../operators/stateful-operator.ts';

interface Held<A> {
  record: StreamRecord<Windowed<string>, A>;
  /** It was not there at the last commit: that it is gone again is told to nobody. */
  readonly isNew: boolean;
}

/**
 * Of each window's changes the last one, at each commit: what Kafka Streams' record cache does when it is not full. Windows that came and went
 * between two commits (sessions that grew) are not told at all.
 */
export function lastOfCommit<A>(name: string): Operator<Windowed<string>, A, Windowed<string>, A> {
  return statefulStep<Windowed<string>, A, Windowed<string>, A, Record<string, never>>({
    kind: 'lastOfCommit', name, stores: {}, detail: 'the last change of each window, at each commit',
    start: (context, emit) => {
      // A key has a window or two between two commits: looked through, not hashed.
      const held = new Map<string, Held<A>[]>();
      context.onCommit(() => {
        for (const windows of held.values()) {
          for (const { record } of windows) emit(record);
        }
        held.clear();
      });
      return (record) => {
        const { key, startMs, endMs } = record.key;
        const windows = held.get(key);
        if (windows === undefined) {
          held.set(key, [{ record, isNew: record.value !== null }]);
          return;
        }
        for (let at = 0; at < windows.length; at += 1) {
          const before = windows[at] as Held<A>;
          if (before.record.key.startMs !== startMs || before.record.key.endMs !== endMs) continue;
          if (!before.isNew || record.value !== null) before.record = record;
          else if (at === windows.length - 1) windows.pop();
          else windows.splice(at, 1);
          return;
        }
        windows.push({ record, isNew: record.value !== null });
      };
    },
  });
}
