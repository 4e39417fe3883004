import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { dundeeFiles } from '../../charging/session-log/dundee-files.ts';

export interface FaultInput {
  readonly sessionLogs: readonly string[];
  readonly jsonLines: readonly string[];
}

/** Events behind the session log's: sound sessions, duplicates, late ones, unbelievable ones, and lines that are no events. */
function eventLines(sessions: number): string {
  const dayMs = 86_400_000;
  const fromMs = Date.UTC(2019, 0, 1);
  const lines: string[] = [];
  for (let session = 0; session < sessions; session++) {
    const stationId = `fault-${session % 17}`;
    const transactionId = `t-${session}`;
    const startMs = fromMs + Math.floor(session / 17) * 3_600_000;
    const event = (type: string, seqNo: number, minutes: number, rest: object): string => JSON.stringify({
      eventId: `${transactionId}-${seqNo}`, type, stationId, transactionId, seqNo, timestampMs: startMs + minutes * 60_000, ...rest,
    });
    const stop = event('TransactionEnded', 2, 40, { meterWh: 5_000 + session, stopReason: 'Local' });
    lines.push(event('TransactionStarted', 0, 0, { meterWh: 0 }), event('TransactionUpdated', 1, 20, { meterWh: 2_500 }), stop);
    if (session % 5 === 0) lines.push(stop);
    if (session % 7 === 0) lines.push(event('TransactionUpdated', 3, -20 * dayMs / 60_000, { meterWh: 1 }));
    if (session % 9 === 0) lines.push(event('TransactionUpdated', 4, 41, { meterWh: 1e15 }));
    if (session % 11 === 0) lines.push(`{"eventId": "broken ${session}`);
  }
  return `${lines.join('\n')}\n`;
}

/** A slice of Dundee's first file and a file of events, in `folder`. */
export function faultInput(folder: string, { rows, sessions }: { readonly rows: number; readonly sessions: number }): FaultInput {
  const [first = ''] = dundeeFiles();
  const text = gunzipSync(readFileSync(first)).toString();
  const sessionLog = join(folder, 'slice.csv');
  writeFileSync(sessionLog, text.split('\n').slice(0, rows + 1).join('\n'));
  const events = join(folder, 'events.jsonl');
  writeFileSync(events, eventLines(sessions));
  return { sessionLogs: [sessionLog], jsonLines: [events] };
}
