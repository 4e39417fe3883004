import type { ChargingSession } from '../schemas/generated/charging-session.ts';
import type { PricedSessionRow } from './cost/priced-session-row.ts';

/** A final row as the topic `charging.sessions` carries it. */
export function sessionMessage({ session, vehicle, cost }: PricedSessionRow): ChargingSession {
  return {
    sessionId: session.sessionId, revision: session.revision, transactionId: session.transactionId, stationId: session.stationId, evseId: session.evseId,
    connectorId: session.connectorId, openedMs: session.openedMs, startMs: session.startMs, stopMs: session.stopMs, energyWh: session.energyWh,
    registerWh: session.registerWh, exportWh: session.exportWh, chargingMs: session.chargingMs, idleMs: session.idleMs, peakPowerW: session.peakPowerW,
    meanPowerW: session.meanPowerW, socFrom: session.socFrom, socTo: session.socTo, stopReason: session.stopReason, closedBy: session.closedBy,
    flags: session.flags, complete: session.complete, eventCount: session.eventCount, duplicates: session.duplicates, sequenceGaps: session.sequenceGaps,
    idToken: session.idToken, partner: session.partner, vehicleModel: session.vehicleModel, vehicleClass: vehicle?.vehicleClass ?? null,
    siteId: session.siteId, city: session.city, region: session.region, country: session.country, operator: session.operator, timeZone: session.timeZone,
    connectorStandard: session.connectorStandard, current: session.current, powerMaxW: session.powerMaxW, tariffId: session.tariffId,
    currency: cost.currency, costMinor: cost.totalMinor, startFeeMinor: cost.startFeeMinor, energyCostMinor: cost.energyMinor,
    chargingCostMinor: cost.chargingMinor, idleCostMinor: cost.idleMinor, costFlags: cost.flags,
  };
}
