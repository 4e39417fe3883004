import { json } from '../../schemas/builtin-codecs.ts';
import { groupedStore, statefulStep } from '../engine.ts';
import type { Emit, GroupedStore, Operator, StatefulContext, StreamRecord } from '../engine.ts';
import { insertReading, noReadings } from './meter-readings.ts';
import type { MeterReadings } from './meter-readings.ts';
import type { SessionEvent } from '../session-event.ts';
import { StationTimers, stationProgressStore } from '../stitching/station-timers.ts';

/** What one event adds to the load of its station at its time. Sums may be taken in any order: energy is in whole mWh. */
export interface LoadChange {
  readonly stationId: string;
  readonly eventId: string;
  /** 0: of the event itself; 1: what it takes from the reading behind it. */
  readonly part: 0 | 1;
  /** May be negative: a sample that came late takes its part from the one behind it. */
  readonly energyMilliWh: number;
  readonly samples: number;
  readonly powerW: number | null;
  readonly sessionsStarted: number;
  readonly sessionsEnded: number;
  readonly errors: number;
  readonly siteId: string | null;
  readonly city: string | null;
  readonly operator: string | null;
  readonly stationValidFromMs: number;
}

export interface MeterDeltasOptions {
  /** An open transaction of which nothing more is heard is forgotten after this long. Default 60 days. */
  readonly inactiveMs?: number;
  /** How long after its end a transaction's readings are kept. Default 7 days. */
  readonly finishedForMs?: number;
}

interface TransactionReadings {
  readonly readings: MeterReadings;
  readonly lastMs: number;
  readonly started: boolean;
  readonly ended: boolean;
}

function storesOf(name: string) {
  return {
    /** By station and transaction. */
    transactions: groupedStore({ name, value: json<TransactionReadings>('transaction-readings.v1') }),
    stations: stationProgressStore(`${name}.stations`),
  };
}

type Context = StatefulContext<ReturnType<typeof storesOf>>;
type Change = StreamRecord<string, LoadChange>;

/**
 * Turns registers into energy: for each meter value the difference to the one before it in the same transaction, at its own
 * time. A value that comes out of order splits the difference of the one behind it: its part at its own time, and as much
 * less at the other's. So the sums by time are those of the sorted events, and their total is last register minus first.
 *
 * Where a register goes back (a reset, a broken meter) nothing was delivered. Starts and ends count once a transaction. Every
 * event gives a change, if an empty one, so that the windows behind this step see the station's time. Horizons are those of
 * `stitchSessions`, by each station's own time.
 */
export function meterDeltas(name: string, options: MeterDeltasOptions = {}): Operator<string, SessionEvent, string, LoadChange> {
  const limits = { inactiveMs: options.inactiveMs ?? 60 * 86_400_000, finishedForMs: options.finishedForMs ?? 7 * 86_400_000 };
  return statefulStep({
    kind: 'meterDeltas',
    name,
    stores: storesOf(name),
    detail: `inactive ${limits.inactiveMs} ms, finished transactions kept ${limits.finishedForMs} ms, time by station`,
    start: (context, emit: Emit<Change>) => {
      const meter = new StationMeter(context, limits, emit);
      return (record: StreamRecord<string, SessionEvent>) => meter.process(record);
    },
  });
}

/** A record's way through the state; it remembers nothing itself. */
class StationMeter {
  readonly #limits: Required<MeterDeltasOptions>;
  readonly #transactions: GroupedStore<TransactionReadings>;
  readonly #timers: StationTimers;
  readonly #emit: Emit<Change>;

  constructor(context: Context, limits: Required<MeterDeltasOptions>, emit: Emit<Change>) {
    this.#limits = limits;
    this.#transactions = context.stores.transactions;
    this.#timers = new StationTimers(context.stores.stations, (stationId, transactionId, timeMs) => this.#wake(stationId, transactionId, timeMs));
    this.#emit = emit;
  }

  process(record: StreamRecord<string, SessionEvent>): void {
    const { value: event, timestampMs } = record;
    this.#timers.moveOn(event.stationId, timestampMs);
    const { transactionId } = event;
    if (transactionId === null) {
      this.#emit({ key: record.key, value: loadChange(event, 0, 0, 0, null, 0, 0), timestampMs });
      return;
    }
    const before = this.#transactions.get(event.stationId, transactionId);
    const inserted = insertReading(before?.readings ?? noReadings, event);
    const started = event.type === 'TransactionStarted';
    const ended = event.type === 'TransactionEnded';
    this.#remember(event.stationId, transactionId, before, {
      readings: inserted.readings,
      lastMs: Math.max(before?.lastMs ?? 0, timestampMs),
      started: started || (before?.started ?? false),
      ended: ended || (before?.ended ?? false),
    });
    const sessionsStarted = started && before?.started !== true ? 1 : 0;
    const sessionsEnded = ended && before?.ended !== true ? 1 : 0;
    const change = loadChange(event, 0, inserted.ownMilliWh, inserted.isNew ? 1 : 0, event.powerW, sessionsStarted, sessionsEnded);
    this.#emit({ key: record.key, value: change, timestampMs });
    const { behind } = inserted;
    if (behind === null) return;
    this.#emit({ key: record.key, value: loadChange(event, 1, behind.changeMilliWh, 0, null, 0, 0), timestampMs: behind.timeMs });
  }

  #remember(stationId: string, transactionId: string, before: TransactionReadings | undefined, after: TransactionReadings): void {
    this.#transactions.put(stationId, transactionId, after);
    if (before === undefined || after.ended !== before.ended) this.#timers.schedule(stationId, this.#dueOf(after), transactionId);
  }

  #dueOf(state: TransactionReadings): number {
    return state.lastMs + (state.ended ? this.#limits.finishedForMs : this.#limits.inactiveMs);
  }

  #wake(stationId: string, transactionId: string, timeMs: number): void {
    const state = this.#transactions.get(stationId, transactionId);
    if (state === undefined) return;
    const dueMs = this.#dueOf(state);
    if (dueMs > timeMs) this.#timers.schedule(stationId, dueMs, transactionId);
    else this.#transactions.delete(stationId, transactionId);
  }
}

/** What a part of an event adds. Its errors count with part 0, and the station's facts stand in every part. */
function loadChange(
  event: SessionEvent, part: 0 | 1, energyMilliWh: number, samples: number, powerW: number | null, sessionsStarted: number, sessionsEnded: number,
): LoadChange {
  const { station, errorCode } = event;
  const errors = part === 1 || errorCode === null || errorCode === 'NoError' ? 0 : 1;
  return {
    stationId: event.stationId, eventId: event.eventId, part, energyMilliWh, samples, powerW, sessionsStarted, sessionsEnded, errors,
    siteId: station === null ? null : station.siteId, city: station === null ? null : station.city,
    operator: station === null ? null : station.operator, stationValidFromMs: station === null ? -1 : station.validFromMs,
  };
}
