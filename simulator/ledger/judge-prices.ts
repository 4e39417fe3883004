import type { Tariff } from '../../schemas/generated/tariff.ts';
import { Findings } from './findings.ts';
import type { TableFindings } from './findings.ts';
import { isExact } from './knowable.ts';
import type { LedgerBook } from './ledger-book.ts';
import { isStationKnown, truthsOf } from './session-truths.ts';
import type { SessionTruth } from './session-truths.ts';

/** What a row of charging_sessions says of its price, in hundredths. */
export interface PriceAnswer {
  readonly station: string;
  readonly id: string;
  readonly tariff: string | null;
  readonly currency: string | null;
  readonly cost: number | null;
  readonly startFee: number | null;
  readonly energy: number | null;
  readonly charging: number | null;
  readonly idle: number | null;
}

export function pricesSql(database: string): string {
  return `SELECT station_id AS station, session_id AS id, tariff_id AS tariff, currency, cost_minor AS cost, start_fee_minor AS startFee, energy_cost_minor AS energy,
    charging_cost_minor AS charging, idle_cost_minor AS idle
  FROM ${database}.charging_sessions FINAL ORDER BY station_id`;
}

const MICRO_A_CENT = 10_000;
const MINUTE_MS = 60_000;
const cents = (micro: number): number => Math.floor(micro / MICRO_A_CENT + 0.5);

/**
 * Compares prices of sessions that no fault has touched, at stations that are known from the beginning: fee and energy to the cent, energy with rates by the hour
 * between the cheapest and the dearest, time within the whole session. How long energy flowed within it is not in the ledger.
 */
export class PriceJudge {
  readonly #book: LedgerBook;
  readonly #tariffs: ReadonlyMap<string, Tariff | null>;
  readonly #findings = new Findings('prices of charging_sessions');

  /** `tariffs`: by type of site, which begins the names of its stations; null: it names none. */
  constructor(book: LedgerBook, tariffs: ReadonlyMap<string, Tariff | null>) {
    this.#book = book;
    this.#tariffs = tariffs;
  }

  station(stationId: string, rows: readonly PriceAnswer[]): void {
    const tariff = this.#tariffs.get(/^(.*)-\d+-\d+$/.exec(stationId)?.[1] ?? '');
    const isSure = isStationKnown(this.#book, stationId) && (['late-station', 'changed-station'] as const).every((kind) => this.#book.faultsOf(stationId, kind) === 0);
    const truths = new Map(truthsOf(this.#book, stationId).map((truth) => [truth.session.sessionId, truth]));
    for (const row of rows) {
      const truth = truths.get(row.id);
      if (truth === undefined) continue;
      const { session, known } = truth;
      if (tariff === undefined || !isSure || session.faults.length > 0 || !isExact(known.start) || !isExact(known.stop) || !isExact(known.energy)) {
        this.#findings.notKnowable += 1;
        continue;
      }
      this.#findings.compared += 1;
      const complaints = tariff === null ? (row.tariff === null ? [] : [`tariff ${row.tariff}, though the station names none`]) : complaintsOf(truth, row, tariff);
      if (complaints.length > 0) this.#findings.wrong(`${row.id}: ${complaints.join('; ')}`);
    }
  }

  get result(): TableFindings {
    return this.#findings.result;
  }
}

function complaintsOf({ session }: SessionTruth, row: PriceAnswer, tariff: Tariff): readonly string[] {
  const complaints: string[] = [];
  const within = (what: string, got: number | null, from: number, to: number): void => {
    if (got === null || got < from || got > to) complaints.push(`${what} ${got}, not ${from === to ? from : `from ${from} to ${to}`}`);
  };
  if (row.tariff !== tariff.tariffId) complaints.push(`tariff ${row.tariff}, not ${tariff.tariffId}`);
  if (row.currency !== tariff.currency) complaints.push(`currency ${row.currency}, not ${tariff.currency}`);
  const minutes = (session.stopMs - session.startMs) / MINUTE_MS;
  const prices = (own: number, ofRates: readonly (number | null)[]): readonly number[] => [own, ...ofRates.flatMap((price) => (price === null ? [] : [price]))];
  const energy = prices(tariff.energyPerKwhMicro, tariff.rates.map(({ energyPerKwhMicro }) => energyPerKwhMicro)).map((price) => cents((session.energyWh * price) / 1_000));
  const charging = prices(tariff.chargingPerMinuteMicro, tariff.rates.map(({ chargingPerMinuteMicro }) => chargingPerMinuteMicro));
  const idle = prices(tariff.idlePerMinuteMicro, tariff.rates.map(({ idlePerMinuteMicro }) => idlePerMinuteMicro));
  within('start fee', row.startFee, cents(tariff.startFeeMicro), cents(tariff.startFeeMicro));
  within('energy', row.energy, Math.min(...energy), Math.max(...energy));
  // Time is counted in whole steps.
  within('charging time', row.charging, 0, cents(Math.max(...charging) * (minutes + tariff.timeStepSeconds / 60)));
  within('idle time', row.idle, 0, cents(Math.max(...idle) * Math.max(0, minutes - tariff.idleFreeMinutes + tariff.timeStepSeconds / 60)));
  const sum = [row.startFee, row.energy, row.charging, row.idle].reduce<number>((total, part) => total + (part ?? 0), 0);
  if (row.cost !== sum) complaints.push(`cost ${row.cost}, not ${sum}, as its parts are`);
  return complaints;
}
