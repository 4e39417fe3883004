import { utf8 } from '../../schemas/builtin-codecs.ts';
import { tariff } from '../../schemas/generated/tariff.ts';
import type { Tariff } from '../../schemas/generated/tariff.ts';
import { statefulStep } from '../engine.ts';
import type { Emit, Operator, StreamRecord, TableReference, Topology } from '../engine.ts';
import { priceSession, withoutCost } from './price-session.ts';
import type { Cost } from './price-session.ts';
import { sessionFromSums } from './priced-session.ts';
import type { PricedSession, SessionSummary } from './priced-session.ts';

export const tariffsTopic = 'tariffs';

/** A session with what must be known to price it. */
export interface Billable extends SessionSummary {
  /** The station's tariff; null: none is named. */
  readonly tariffId: string | null;
  /** The site's zone, as an IANA name. */
  readonly timeZone: string;
  /** Readings and charging times; left out where only the session's sums are known: see `sessionFromSums`. */
  readonly metering?: Pick<PricedSession, 'samples' | 'charging'>;
}

/**
 * All tariffs, in every process, each with its versions by `validFromMs`. A version that is valid from a time before what was
 * already read takes its place among the others; sessions that were priced before it came keep their cost.
 *
 * @param historyMs how far back versions are kept behind a tariff's newest; default 50 years: all of them
 */
export function tariffsTable(topology: Topology, historyMs: number = 50 * 365 * 86_400_000): ReturnType<typeof topology.globalTable<string, Tariff>> {
  return topology.globalTable<string, Tariff>(
    tariffsTopic, { key: utf8, value: tariff, timestampOf: (value) => value.validFromMs }, { historyMs },
  );
}

/**
 * Adds to each session what it costs, by the version of its tariff that was valid when it began, to its end. A session whose
 * tariff is not named or not known then has no amounts and the flag `no-tariff`. Records without a value are dropped and counted.
 */
export function withCost<K, V extends Billable>(
  name: string, tariffs: TableReference<string, Tariff>,
): Operator<K, V, K, V & { readonly cost: Cost }> {
  type Priced = V & { readonly cost: Cost };
  const facts = { kind: 'withCost', name, stores: {}, reads: tariffs.reads, detail: `by ${tariffs.name}, as of the start` };
  const stepOver = (tariffAt: (tariffId: string, timeMs: number) => Tariff | undefined): Operator<K, V, K, Priced> =>
    statefulStep({
      ...facts,
      start: (context, emit: Emit<StreamRecord<K, Priced>>) => ({ key, value, timestampMs }: StreamRecord<K, V>) => {
        if (value === null || value === undefined) return context.dropped('null-value');
        return emit({ key, value: { ...value, cost: costOf(value, tariffAt) }, timestampMs });
      },
    });
  return {
    ...stepOver(() => undefined),
    build: (context) => {
      const lookup = tariffs.open(context);
      return stepOver((tariffId, timeMs) => lookup.getAsOf(tariffId, timeMs)?.value).build(context);
    },
  };
}

function costOf(value: Billable, tariffAt: (tariffId: string, timeMs: number) => Tariff | undefined): Cost {
  const found = value.tariffId === null ? undefined : tariffAt(value.tariffId, value.startMs);
  if (found === undefined) return withoutCost({ tariffId: value.tariffId, currency: null }, 'no-tariff');
  return priceSession({ ...sessionFromSums(value, value.timeZone), ...value.metering }, found);
}
