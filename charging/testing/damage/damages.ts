import type { ChargingEvent } from '../../../schemas/generated/charging-event.ts';
import { aheadMaxMs } from '../../session-event.ts';
import { hours, minutes } from '../events.ts';
import type { Dice } from './dice.ts';
import type { Delivery, Lie, TrueSample, TrueSession, World } from './truth.ts';

/** One way in which what arrives differs from what was. */
export interface Damage {
  readonly name: string;
  readonly apply: (world: World, dice: Dice) => World;
}

type Change = (delivery: Delivery, dice: Dice) => readonly Delivery[];

const isStart = ({ event }: Delivery) => event.type === 'TransactionStarted';
const isStop = ({ event }: Delivery) => event.type === 'TransactionEnded';
const isSample = ({ event }: Delivery) => event.type === 'TransactionUpdated';
const isStatus = ({ event }: Delivery) => event.type === 'StatusChanged';
const isOfTransaction = (delivery: Delivery) => delivery.sessionId !== null;

/** Changes some of the deliveries, each by its own throw. */
function some(name: string, which: (delivery: Delivery) => boolean, part: number, change: Change): Damage {
  return {
    name,
    apply: (world, dice) => ({
      ...world, deliveries: world.deliveries.flatMap((one) => (which(one) && dice.chance(part) ? change(one, dice) : [one])),
    }),
  };
}

/** Changes deliveries of some of the sessions together. */
function sessions(
  name: string, which: (session: TrueSession) => boolean, change: (session: TrueSession, told: readonly Delivery[], dice: Dice) => readonly Delivery[],
): Damage {
  return {
    name,
    apply: (world, dice) => {
      const changed = new Map<string, readonly Delivery[]>();
      for (const session of world.sessions) {
        if (!which(session) || !dice.chance(0.6)) continue;
        changed.set(session.sessionId, change(session, world.deliveries.filter((one) => one.sessionId === session.sessionId), dice));
      }
      const others = world.deliveries.filter((one) => one.sessionId === null || !changed.has(one.sessionId));
      return { ...world, deliveries: [...others, ...[...changed.values()].flat()] };
    },
  };
}

function edited(delivery: Delivery, fields: Partial<ChargingEvent>, lie: Lie): Delivery {
  return { ...delivery, event: { ...delivery.event, ...fields }, lies: [...delivery.lies, lie] };
}

function later(delivery: Delivery, byMs: number): Delivery {
  const arrivesMs = delivery.arrivesMs + byMs;
  const { event } = delivery;
  return { ...delivery, arrivesMs, event: event.receivedMs === null ? event : { ...event, receivedMs: arrivesMs } };
}

const lost: readonly Delivery[] = [];
const milliWhOf = ({ event }: Delivery) => Math.round((event.meterWh as number) * 1000);
const hasRegister = ({ event }: Delivery) => event.meterWh !== null;
const underNewId = (one: Delivery, dice: Dice): Delivery => ({ ...one, event: { ...one.event, eventId: `${one.event.eventId} again ${dice.whole(0, 1e12)}` } });

/** Loss. */
export const loss: readonly Damage[] = [
  some('a start is lost', isStart, 0.5, () => lost),
  some('a stop is lost', isStop, 0.5, () => lost),
  some('samples are lost', isSample, 0.4, () => lost),
  some('statuses are lost', isStatus, 0.6, () => lost),
  sessions('all but the stop is lost', () => true, (_session, told) => told.filter(isStop)),
];

/** The same again. */
export const duplication: readonly Damage[] = [
  some('an event is sent again', () => true, 0.3, (one, dice) => [one, later(one, dice.oneOf([0, 1_000, minutes(3), hours(1)]))]),
  some('an event is sent again under another id', isOfTransaction, 0.3, (one, dice) => [
    one, later(underNewId(one, dice), dice.oneOf([0, 1_000, minutes(3), hours(1)])),
  ]),
  some('a start is repeated', isStart, 0.6, (one, dice) => [
    one, later(underNewId(one, dice), dice.oneOf([500, minutes(1), hours(30)])),
  ]),
];

/** Another order. */
export const disorder: readonly Damage[] = [
  some('events come out of order within minutes', () => true, 0.5, (one, dice) => [later(one, dice.whole(0, minutes(8)))]),
  some('events come hours late', () => true, 0.15, (one, dice) => [later(one, dice.whole(minutes(20), hours(60)))]),
  {
    name: 'a station is offline for hours and tells it then',
    apply: (world, dice) => {
      const outages = new Map(world.stations.map(({ station }) => {
        const times = world.deliveries.filter((one) => one.event.stationId === station.stationId).map((one) => one.arrivesMs);
        const fromMs = dice.whole(Math.min(...times), Math.max(...times));
        return [station.stationId, { fromMs, toMs: fromMs + dice.whole(minutes(30), hours(20)) }];
      }));
      const deliveries = world.deliveries.map((one) => {
        const outage = outages.get(one.event.stationId);
        if (outage === undefined || one.arrivesMs < outage.fromMs || one.arrivesMs >= outage.toMs) return one;
        const delayed = later(one, outage.toMs - one.arrivesMs + Math.floor((one.arrivesMs - outage.fromMs) / 100));
        return { ...delayed, event: { ...delayed.event, offline: true } };
      });
      return { ...world, deliveries };
    },
  },
];

/** Clocks. */
export const clocks: readonly Damage[] = [
  some('a clock stands in 1970', () => true, 0.15, (one, dice) => [edited(one, { timestampMs: dice.whole(0, hours(100)) }, 'time')]),
  some('a clock is far ahead', () => true, 0.15, (one, dice) => [
    edited(one, { timestampMs: one.event.receivedMs === null ? Date.UTC(2150, 0, 1) : one.arrivesMs + hours(dice.whole(25, 9_000)) }, 'time'),
  ]),
  some('a clock of a sample is off by hours', isSample, 0.1, (one, dice) => [
    edited(one, { timestampMs: one.event.timestampMs + dice.oneOf([-1, 1]) * dice.whole(minutes(1), hours(10)) }, 'time'),
  ]),
  {
    name: 'a clock is off by the same time always',
    apply: (world, dice) => {
      const skews = new Map(world.stations.map(({ station }) => [station.stationId, dice.oneOf([-1, 1]) * dice.whole(0, hours(20))]));
      const skewOf = (stationId: string) => skews.get(stationId) ?? 0;
      // What is told to be received before it happened gets the time of the reception.
      const isReplaced = (one: Delivery) => one.event.receivedMs !== null && one.event.timestampMs + skewOf(one.event.stationId) > one.event.receivedMs + aheadMaxMs;
      const shifted = (one: Delivery) => ({ timestampMs: Math.max(0, one.event.timestampMs + skewOf(one.event.stationId)) });
      // Without an id a session has its name by its time.
      const renamed = new Map(world.sessions.map(({ sessionId, station, connectorId, startMs }) => {
        const { stationId } = station.station;
        return [sessionId, station.ids ? sessionId : `${stationId}/1.${connectorId}/${startMs + skewOf(stationId)}`];
      }));
      const moved = (session: TrueSession, skewMs: number): TrueSession => ({
        ...session, sessionId: renamed.get(session.sessionId) as string, startMs: session.startMs + skewMs, stopMs: session.stopMs + skewMs,
        samples: session.samples.map((sample) => ({ ...sample, timeMs: sample.timeMs + skewMs })),
      });
      return {
        stations: world.stations,
        sessions: world.sessions.map((session) => moved(session, skewOf(session.station.station.stationId))),
        deliveries: world.deliveries.map((one) => {
          const told = isReplaced(one) ? edited(one, shifted(one), 'time') : { ...one, event: { ...one.event, ...shifted(one) } };
          return { ...told, sessionId: one.sessionId === null ? null : renamed.get(one.sessionId) as string };
        }),
      };
    },
  },
];

const countsForEver = (session: TrueSession) => session.station.scope === 'lifetime';

/** Registers. */
export const registers: readonly Damage[] = [
  sessions('a register is reset between two samples', countsForEver, (session, told, dice) => {
    const zeroAt = dice.whole(0, session.samples.length - 2);
    const zero = session.samples[zeroAt] as TrueSample;
    return told.map((one) => {
      if (!hasRegister(one) || one.sample <= zeroAt) return one;
      return edited(one, { meterWh: Math.max(0, milliWhOf(one) - session.baseMilliWh - zero.milliWh) / 1000 }, 'reset');
    });
  }),
  sessions('a register rolls over', countsForEver, (session, told, dice) => {
    const limit = dice.oneOf([1e11, 2 ** 32 * 100, 2 ** 31 * 100]);
    const at = dice.whole(0, session.energyMilliWh);
    return told.map((one) => {
      if (!hasRegister(one)) return one;
      return edited(one, { meterWh: ((milliWhOf(one) - session.baseMilliWh + limit - at + limit) % limit) / 1000 }, 'rolledOver');
    });
  }),
  sessions('samples count from zero at the start', countsForEver, (session, told) => told.map((one) => {
    if (!isSample(one) || !hasRegister(one)) return one;
    return edited(one, { meterWh: Math.max(0, milliWhOf(one) - session.baseMilliWh) / 1000 }, 'relative');
  })),
  sessions('a start shows the session before', (session) => !countsForEver(session), (session, told, dice) => told.map((one) =>
    isStart(one) && hasRegister(one) ? edited(one, { meterWh: (session.energyMilliWh + dice.whole(1_000, 50_000_000)) / 1000 }, 'stale') : one)),
  sessions('a start has zero in the place of a register that counts for ever', countsForEver, (_session, told) => told.map((one) =>
    isStart(one) && hasRegister(one) ? edited(one, { meterWh: 0 }, 'placeholder') : one)),
  some('samples have no register', isSample, 0.5, (one) => [edited(one, { meterWh: null }, 'noRegister')]),
  some('a start has no register', isStart, 0.5, (one) => [edited(one, { meterWh: null }, 'noRegister')]),
  some('a stop has no register', isStop, 0.5, (one) => [edited(one, { meterWh: null }, 'noRegister')]),
  sessions('a register is off once', () => true, (_session, told, dice) => {
    const samples = told.filter((one) => isSample(one) && hasRegister(one));
    if (samples.length === 0) return told;
    const odd = dice.oneOf(samples);
    return told.map((one) => (one === odd ? edited(one, { meterWh: dice.oneOf([-1, 9e8]) }, 'outlier') : one));
  }),
];

/** Transaction ids. */
export const identities: readonly Damage[] = [
  some('a stop has no transaction id', isStop, 0.5, (one) => [edited(one, { transactionId: null }, 'transactionId')]),
  some('a stop has the transaction id -1', isStop, 0.5, (one) => [edited(one, { transactionId: '-1' }, 'transactionId')]),
  some('a stop has a transaction id that nobody knows', isStop, 0.5, (one) => [edited(one, { transactionId: `unknown ${one.sample}.${one.sessionId}` }, 'transactionId')]),
];

/** Connectors that are used again without a stop of the transaction before. */
export const reuse: readonly Damage[] = [
  {
    name: 'a connector is used again without a stop',
    apply: (world, dice) => {
      const unended = new Set(world.sessions.filter(() => dice.chance(0.4)).flatMap((one) => [`${one.sessionId}/stop`, `${one.sessionId}/available`]));
      const nameOf = (one: Delivery) => (isStop(one) ? `${one.sessionId}/stop` : one.origin);
      return { ...world, deliveries: world.deliveries.filter((one) => !unended.has(nameOf(one))) };
    },
  },
];

export const damages: readonly Damage[] = [...loss, ...duplication, ...disorder, ...clocks, ...registers, ...identities, ...reuse];

/** A clock that is always off is so before anything else happens; the rest comes in the order named. */
export function damaged(world: World, chosen: readonly Damage[], dice: Dice): World {
  const first = chosen.filter((one) => one.name === 'a clock is off by the same time always');
  const rest = chosen.filter((one) => !first.includes(one));
  return [...first, ...rest].reduce((now, damage) => damage.apply(now, dice), world);
}
