import { utf8 } from '../../schemas/builtin-codecs.ts';
import { tariff } from '../../schemas/generated/tariff.ts';
import type { Tariff } from '../../schemas/generated/tariff.ts';
import { vehicle } from '../../schemas/generated/vehicle.ts';
import type { Vehicle } from '../../schemas/generated/vehicle.ts';
import { statefulStep } from '../engine.ts';
import type { Emit, Operator, Stream, StreamRecord, TableReference, Topology } from '../engine.ts';
import { tariffsTopic, vehiclesTopic } from '../reference/reference-topics.ts';
import type { SessionRow } from '../stitching/session-row.ts';
import { priceSession, withoutCost } from './price-session.ts';
import type { Cost } from './price-session.ts';
import type { PricedSessionRow } from './priced-session-row.ts';

/** How far back versions are kept behind the newest: all of them. */
const allHistoryMs = 50 * 365 * 86_400_000;

/**
 * Adds to each session the model of its vehicle and what it costs: live and final rows in, in the order in which they came, the same
 * rows out with both. Versions are those that were valid when the session began, to its end. A revision is priced anew.
 *
 * Tables: all vehicles and all tariffs (topics `vehicles` and `tariffs`), in every process, each with its versions by `validFromMs`. A
 * version that comes late takes its place among the others; rows that went out before keep their price.
 *
 * A model that nobody knows leaves null. A session whose tariff is not named, or not known as of its start, has no amounts and the
 * flag `no-tariff`. A live row has the amounts of a session that stops at the record's time, and the flag `not-stopped`; so does a final
 * one without a stop, but without amounts.
 */
export function priceSessions(topology: Topology, sessions: Stream<string, SessionRow>): Stream<string, PricedSessionRow> {
  const vehicles = topology.globalTable<string, Vehicle>(
    vehiclesTopic, { key: utf8, value: vehicle, timestampOf: (value) => value.validFromMs }, { historyMs: allHistoryMs },
  );
  const tariffs = topology.globalTable<string, Tariff>(
    tariffsTopic, { key: utf8, value: tariff, timestampOf: (value) => value.validFromMs }, { historyMs: allHistoryMs },
  );
  return sessions.pipe(withVehicleAndCost('prices', vehicles, tariffs));
}

/** A row of a session that has ended; the others say how it stands while it runs. */
export function isFinal({ session }: PricedSessionRow): boolean {
  return session.closedBy !== 'None';
}

type AsOf<T> = (key: string, timeMs: number) => T | undefined;

function withVehicleAndCost(
  name: string, vehicles: TableReference<string, Vehicle>, tariffs: TableReference<string, Tariff>,
): Operator<string, SessionRow, string, PricedSessionRow> {
  const stepOver = (vehicleAt: AsOf<Vehicle>, tariffAt: AsOf<Tariff>): Operator<string, SessionRow, string, PricedSessionRow> => statefulStep({
    kind: 'priceSessions',
    name,
    stores: {},
    reads: [...vehicles.reads, ...tariffs.reads],
    detail: `with ${vehicles.name} and ${tariffs.name} as of the start`,
    start: (context, emit: Emit<StreamRecord<string, PricedSessionRow>>) => ({ key, value: session, timestampMs }: StreamRecord<string, SessionRow>) => {
      if (session === null || session === undefined) return context.dropped('null-value');
      const { vehicleModel } = session;
      const found = vehicleModel === null ? undefined : vehicleAt(vehicleModel, session.startMs);
      emit({ key, value: { session, vehicle: found ?? null, cost: costOf(session, timestampMs, tariffAt) }, timestampMs });
    },
  });
  return {
    ...stepOver(() => undefined, () => undefined),
    build: (context) => {
      const [allVehicles, allTariffs] = [vehicles.open(context), tariffs.open(context)];
      return stepOver((model, timeMs) => allVehicles.getAsOf(model, timeMs)?.value, (id, timeMs) => allTariffs.getAsOf(id, timeMs)?.value).build(context);
    },
  };
}

const withoutTariff = withoutCost({ tariffId: null, currency: null }, 'no-tariff');

function costOf(session: SessionRow, nowMs: number, tariffAt: AsOf<Tariff>): Cost {
  const { tariffId, startMs, stopMs, metering: { samples, charging } } = session;
  if (tariffId === null) return withoutTariff;
  const found = tariffAt(tariffId, startMs);
  if (found === undefined) return withoutCost({ tariffId, currency: null }, 'no-tariff');
  const timeZone = session.timeZone ?? '';
  if (stopMs !== null || session.closedBy !== 'None') return priceSession({ startMs, stopMs, timeZone, samples, charging }, found);
  const untilMs = Math.max(startMs, nowMs, samples.at(-1)?.timeMs ?? startMs, charging?.at(-1)?.toMs ?? startMs);
  const cost = priceSession({ startMs, stopMs: untilMs, timeZone, samples, charging }, found);
  return { ...cost, flags: [...new Set([...cost.flags, 'not-stopped' as const])].sort() };
}
