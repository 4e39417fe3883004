import type { ChargingEvent } from '../../../schemas/generated/charging-event.ts';
import type { Station } from '../../../schemas/generated/station.ts';
import { charging, minutes, station, ten } from '../events.ts';
import type { Dice } from './dice.ts';

/** A station, with what it tells and what the platform knows of it. */
export interface TrueStation {
  readonly station: Station;
  /** Its record is in the table of stations: from the first, after all that it told, or never. */
  readonly known: 'first' | 'later' | 'never';
  /** Its events name their transaction. */
  readonly ids: boolean;
  readonly scope: 'lifetime' | 'session';
  readonly powerMaxW: number;
  /** Its events say when they were received. */
  readonly received: boolean;
  /** Its events have sequence numbers. */
  readonly sequenced: boolean;
  readonly statuses: boolean;
  readonly states: boolean;
  readonly powers: boolean;
  readonly tokenAtStop: boolean;
}

export interface TrueSample {
  readonly timeMs: number;
  /** Since the start. */
  readonly milliWh: number;
}

/** A session as it was. */
export interface TrueSession {
  /** As the product names it. */
  readonly sessionId: string;
  readonly station: TrueStation;
  readonly connectorId: number;
  readonly transactionId: string | null;
  readonly idToken: string;
  readonly startMs: number;
  readonly stopMs: number;
  readonly energyMilliWh: number;
  /** Register at the start; 0 where it counts the session. */
  readonly baseMilliWh: number;
  /** From the start to the stop, with both. */
  readonly samples: readonly TrueSample[];
}

/** What is false in an event that arrives, where it is not merely lost, late or told twice. */
export type Lie = 'time' | 'transactionId' | 'outlier' | 'reset' | 'rolledOver' | 'relative' | 'stale' | 'placeholder' | 'noRegister';

/** An event on its way. */
export interface Delivery {
  readonly event: ChargingEvent;
  readonly arrivesMs: number;
  /** When it truly happened, whatever its clock says. */
  readonly happenedMs: number;
  /** Of a transaction event; with the sample of the session that it tells. */
  readonly sessionId: string | null;
  readonly sample: number;
  /** The event that it was at first, also when it is told again. */
  readonly origin: string;
  readonly lies: readonly Lie[];
}

/** What was, and what arrives of it. */
export interface World {
  readonly stations: readonly TrueStation[];
  readonly sessions: readonly TrueSession[];
  /** In no particular order; they arrive by `arrivesMs`. */
  readonly deliveries: readonly Delivery[];
}

/** Registers of stations that count for ever, in Wh: away from where registers begin again. */
const basesWh: readonly (readonly [number, number])[] = [[200_000, 500_000], [1_100_000, 1_700_000], [5_000_000, 9_000_000], [11_000_000, 40_000_000]];

/** A world without any damage: every event arrives within two seconds. */
export function makeWorld(dice: Dice, stationCount: number, sessionCount: number): World {
  const stations: TrueStation[] = [];
  const sessions: TrueSession[] = [];
  const deliveries: Delivery[] = [];
  for (let index = 0; index < stationCount; index += 1) {
    const one = makeStation(dice, `s${index}`);
    stations.push(one);
    const connectors = dice.whole(1, 2);
    for (let connectorId = 1; connectorId <= connectors; connectorId += 1) {
      let timeMs = ten + dice.whole(0, minutes(600));
      const [fromWh, toWh] = dice.oneOf(basesWh);
      let baseMilliWh = dice.whole(fromWh, toWh) * 1000;
      for (let count = 0; count < sessionCount; count += 1) {
        timeMs += minutes(dice.oneOf(one.ids ? [3, 20, 90, 400] : [20, 90, 400]));
        const session = makeSession(dice, one, connectorId, `${connectorId}-${count}`, timeMs, one.scope === 'session' ? 0 : baseMilliWh);
        sessions.push(session);
        deliveries.push(...told(dice, session));
        timeMs = session.stopMs;
        baseMilliWh += session.energyMilliWh;
      }
    }
  }
  return { stations, sessions, deliveries };
}

function makeStation(dice: Dice, stationId: string): TrueStation {
  const scope = dice.oneOf(['lifetime', 'session'] as const);
  const powerMaxW = dice.oneOf([7_400, 22_000, 50_000]);
  const evses = [{ evseId: 1, connectors: [1, 2].map((connectorId) => ({ connectorId, standard: null, current: 'AC' as const, powerMaxW })) }];
  const ids = dice.chance(0.85);
  return {
    station: { ...station, stationId, evses, registerScope: scope, validFromMs: 0 },
    known: dice.oneOf(['first', 'first', 'first', 'later', 'never'] as const), ids, scope, powerMaxW, received: dice.chance(0.5), sequenced: ids && dice.chance(0.6), statuses: dice.chance(0.7),
    states: dice.chance(0.5), powers: dice.chance(0.5), tokenAtStop: dice.chance(0.5),
  };
}

function makeSession(dice: Dice, one: TrueStation, connectorId: number, name: string, startMs: number, baseMilliWh: number): TrueSession {
  const samples: TrueSample[] = [{ timeMs: startMs, milliWh: 0 }];
  const steps = dice.whole(3, 8);
  const intervalMs = minutes(dice.oneOf(one.ids ? [5, 15] : [5]));
  let timeMs = startMs;
  let milliWh = 0;
  const fullFrom = dice.whole(2, steps + 2);
  for (let step = 0; step < steps; step += 1) {
    const spentMs = step === steps - 1 ? dice.whole(1_000, intervalMs) : intervalMs;
    const percent = step >= fullFrom ? 0 : dice.whole(20, 95);
    timeMs += spentMs;
    milliWh += Math.floor((one.powerMaxW * spentMs * percent) / 100 / 3600);
    samples.push({ timeMs, milliWh });
  }
  const { stationId } = one.station;
  return {
    sessionId: one.ids ? `${stationId}/${name}` : `${stationId}/1.${connectorId}/${startMs}`, station: one, connectorId,
    transactionId: one.ids ? name : null, idToken: `token of ${stationId}/${name}`, startMs,
    stopMs: timeMs, energyMilliWh: milliWh, baseMilliWh, samples,
  };
}

/** The events of a session, as a sound station tells them. */
function told(dice: Dice, session: TrueSession): readonly Delivery[] {
  const { sessionId, station: one, samples, connectorId, transactionId, idToken, baseMilliWh } = session;
  const { stationId } = one.station;
  const events: ChargingEvent[] = [];
  const last = samples.length - 1;
  samples.forEach(({ timeMs, milliWh }, at) => {
    const before = samples[at - 1] ?? { timeMs: timeMs - 1, milliWh };
    const after = samples[at + 1];
    const flows = after !== undefined && after.milliWh > milliWh;
    events.push(charging({
      type: at === 0 ? 'TransactionStarted' : at === last ? 'TransactionEnded' : 'TransactionUpdated',
      eventId: `${sessionId}/${at}`, stationId, connectorId, transactionId, timestampMs: timeMs,
      seqNo: one.sequenced ? at : null, idToken: at === 0 || (at === last && one.tokenAtStop) ? idToken : null,
      meterWh: (baseMilliWh + milliWh) / 1000, stopReason: at === last ? 'Local' : null,
      powerW: one.powers ? Math.round(((milliWh - before.milliWh) * 3600) / (timeMs - before.timeMs)) : null,
      chargingState: one.states ? (flows ? 'Charging' : at === last ? 'Idle' : 'SuspendedEV') : null,
    }));
  });
  if (one.statuses) {
    events.push(charging({ type: 'StatusChanged', eventId: `${sessionId}/occupied`, stationId, connectorId, timestampMs: session.startMs, status: 'Occupied' }));
    events.push(charging({
      type: 'StatusChanged', eventId: `${sessionId}/available`, stationId, connectorId, timestampMs: session.stopMs + 5_000, status: 'Available',
    }));
  }
  return events.map((event, index) => {
    const arrivesMs = event.timestampMs + dice.whole(0, 2_000);
    return {
      event: { ...event, receivedMs: one.received ? arrivesMs : null }, arrivesMs, happenedMs: event.timestampMs, origin: event.eventId,
      sessionId: event.type === 'StatusChanged' ? null : sessionId, sample: index, lies: [],
    };
  });
}
