import { json } from '../schemas/builtin-codecs.ts';
import { isFinal } from './cost/price-sessions.ts';
import type { PricedSessionRow } from './cost/priced-session-row.ts';
import { groupedStore, statefulStep } from './engine.ts';
import type { Emit, Operator, StreamRecord } from './engine.ts';

/**
 * Of the rows of sessions, keyed by station, those that the table of live sessions needs: live ones, and the first final row of a
 * session that had some. Sessions that were never live (history) leave no trace there.
 */
export function liveSessions(name: string): Operator<string, PricedSessionRow, string, PricedSessionRow> {
  return statefulStep({
    kind: 'liveSessions',
    name,
    stores: { open: groupedStore({ name, value: json<true>('open-session.v1') }) },
    start: ({ stores: { open } }, emit: Emit<StreamRecord<string, PricedSessionRow>>) => (record: StreamRecord<string, PricedSessionRow>) => {
      const { stationId, sessionId } = record.value.session;
      const wasOpen = open.get(stationId, sessionId) !== undefined;
      if (!isFinal(record.value)) {
        if (!wasOpen) open.put(stationId, sessionId, true);
      } else if (wasOpen) {
        open.delete(stationId, sessionId);
      } else {
        return;
      }
      emit(record);
    },
  });
}
