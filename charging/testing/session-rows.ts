import type { SessionRow } from '../stitching/session-row.ts';
import { hours, ten } from './events.ts';

/** A final row of an hour with 10 kWh, drawn evenly in its first 40 minutes; what is named otherwise is otherwise. */
export function finalRow(fields: Partial<SessionRow> = {}): SessionRow {
  const startMs = fields.startMs ?? ten;
  const stopMs = fields.stopMs === undefined ? startMs + hours(1) : fields.stopMs;
  const energyWh = fields.energyWh === undefined ? 10_000 : fields.energyWh;
  const untilMs = Math.min(startMs + 2_400_000, stopMs ?? Number.MAX_SAFE_INTEGER);
  return {
    sessionId: 's1/t1', revision: 0, transactionId: 't1', stationId: 's1', evseId: 1, connectorId: 1, openedMs: startMs, startMs, stopMs, energyWh,
    registerWh: energyWh, exportWh: null, chargingMs: untilMs - startMs, idleMs: stopMs === null ? null : stopMs - untilMs, peakPowerW: null,
    meanPowerW: null, socFrom: null, socTo: null, stopReason: null, closedBy: 'TransactionEnded', flags: [], complete: true, eventCount: 2, duplicates: 0,
    sequenceGaps: 0, idToken: null, partner: null, vehicleModel: null, siteId: 'Site', city: 'City', region: null, country: 'GB', operator: 'Operator',
    timeZone: 'Europe/London', tariffId: null, connectorStandard: null, current: 'AC', powerMaxW: 22_000,
    metering: {
      samples: energyWh === null ? [] : [{ timeMs: startMs, milliWh: 0 }, { timeMs: untilMs, milliWh: Math.round(energyWh * 1000) }],
      charging: [{ fromMs: startMs, toMs: untilMs }],
    },
    ...fields,
  };
}

/** A row of a session that goes on. */
export function liveRow(fields: Partial<SessionRow> = {}): SessionRow {
  return finalRow({ revision: -1, stopMs: null, idleMs: null, closedBy: 'None', complete: false, ...fields });
}
