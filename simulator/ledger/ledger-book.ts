import { createReadStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { VoltstreamError } from '../../errors.ts';
import type { Tariff } from '../../schemas/generated/tariff.ts';
import type { FaultKind } from '../profile.ts';
import type { LedgerFault, LedgerSession, LedgerStatus } from './ledger.ts';

/** What was simulated, as simulation.json says. */
export interface SimulationFacts {
  readonly startMs: number;
  /** When the last session was ended. */
  readonly endMs: number;
  /** What the registers count. */
  readonly registers: 'lifetime' | 'session';
  /** By type of site, where tariffs were fed before all else; null: sites of this type name none. */
  readonly tariffs?: ReadonlyMap<string, Tariff | null>;
}

/** A true session as it is kept: its readings lie with those of all others. */
export interface BookSession extends Omit<LedgerSession, 'readings' | 'transactionId' | 'vehicle' | 'model' | 'fromSoc' | 'toSoc'> {
  readonly firstReading: number;
  readonly readingCount: number;
}

/**
 * A ledger in memory, by station: half a million sessions take some hundred MB, since their readings are numbers one behind the other.
 */
export class LedgerBook {
  readonly facts: SimulationFacts;
  readonly #sessions = new Map<string, BookSession[]>();
  readonly #statuses = new Map<string, LedgerStatus[]>();
  readonly #faults: LedgerFault[] = [];
  readonly #stationFaults = new Map<string, Map<FaultKind, number>>();
  #readings = new Float64Array(4_096);
  #used = 0;
  #count = 0;

  constructor(facts: SimulationFacts) {
    this.facts = facts;
  }

  get sessionCount(): number {
    return this.#count;
  }

  /** In the order of their names, byte by byte: as ClickHouse sorts them. */
  get stations(): readonly string[] {
    return [...new Set([...this.#sessions.keys(), ...this.#statuses.keys(), ...this.#stationFaults.keys()])].sort(byBytes);
  }

  get faults(): readonly LedgerFault[] {
    return this.#faults;
  }

  /** Of a station, in order of start. */
  sessionsOf(stationId: string): readonly BookSession[] {
    return this.#sessions.get(stationId) ?? [];
  }

  statusesOf(stationId: string): readonly LedgerStatus[] {
    return this.#statuses.get(stationId) ?? [];
  }

  /** How many faults of a kind there were at a station, those of its messages among them. */
  faultsOf(stationId: string, kind: FaultKind): number {
    return this.#stationFaults.get(stationId)?.get(kind) ?? 0;
  }

  /** When reading `at` of a session was. */
  timeMs(session: BookSession, at: number): number {
    return this.#readings[2 * (session.firstReading + at)] as number;
  }

  /** Wh since the start. */
  energyWh(session: BookSession, at: number): number {
    return this.#readings[2 * (session.firstReading + at) + 1] as number;
  }

  add(session: LedgerSession): void {
    const { sessionId, stationId, siteId, evseId, connectorId, idToken, startMs, stopMs, energyWh, stopReason, faults, touched, messages, received } = session;
    const kept = { sessionId, stationId, siteId, evseId, connectorId, idToken, startMs, stopMs, energyWh, stopReason, faults, touched, messages, received };
    listOf(this.#sessions, stationId).push({ ...kept, firstReading: this.#used / 2, readingCount: session.readings.length });
    this.#count += 1;
    this.#room(2 * session.readings.length);
    for (const [timeMs, wh] of session.readings) {
      this.#readings[this.#used] = timeMs;
      this.#readings[this.#used + 1] = wh;
      this.#used += 2;
    }
  }

  addStatus(status: LedgerStatus): void {
    listOf(this.#statuses, status.stationId).push(status);
  }

  addFault(fault: LedgerFault): void {
    this.#faults.push(fault);
    const kinds = this.#stationFaults.get(fault.stationId) ?? new Map<FaultKind, number>();
    this.#stationFaults.set(fault.stationId, kinds);
    kinds.set(fault.kind, (kinds.get(fault.kind) ?? 0) + 1);
  }

  /** After the last one was added. */
  sort(): void {
    for (const sessions of this.#sessions.values()) sessions.sort((left, right) => left.startMs - right.startMs || (left.sessionId < right.sessionId ? -1 : 1));
    for (const statuses of this.#statuses.values()) statuses.sort((left, right) => left.evseId - right.evseId || left.connectorId - right.connectorId || left.fromMs - right.fromMs);
  }

  #room(numbers: number): void {
    if (this.#used + numbers <= this.#readings.length) return;
    const grown = new Float64Array(Math.max(this.#readings.length * 2, this.#used + numbers));
    grown.set(this.#readings.subarray(0, this.#used));
    this.#readings = grown;
  }
}

/** Reads the ledger of a finished simulation: its folder, or the folder in which `ledger/` lies. Throws LEDGER_UNREADABLE. */
export async function readLedger(folder: string): Promise<LedgerBook> {
  const inside = existsSync(join(folder, 'sessions.jsonl')) ? folder : join(folder, 'ledger');
  const about = existsSync(join(inside, 'simulation.json')) ? inside : folder;
  for (const path of [join(about, 'simulation.json'), ...['sessions', 'statuses', 'faults'].map((name) => join(inside, `${name}.jsonl`))]) {
    if (!existsSync(path)) {
      throw new VoltstreamError('LEDGER_UNREADABLE', 'a file of the ledger is not there', { where: path, wanted: 'simulation.json, sessions.jsonl, statuses.jsonl and faults.jsonl' });
    }
  }
  const { startsAt, days, registers, tariffs } = JSON.parse(await readFile(join(about, 'simulation.json'), 'utf8')) as {
    startsAt: string; days: number; registers?: 'lifetime' | 'session'; tariffs?: Readonly<Record<string, Tariff | null>>;
  };
  const startMs = Date.parse(startsAt);
  const book = new LedgerBook({ startMs, endMs: startMs + Math.max(1, Math.ceil(days * 1_440)) * 60_000, registers: registers ?? 'lifetime',
    ...(tariffs === undefined ? {} : { tariffs: new Map(Object.entries(tariffs)) }),
  });
  await eachLine<LedgerSession>(join(inside, 'sessions.jsonl'), (session) => book.add(session));
  await eachLine<LedgerStatus>(join(inside, 'statuses.jsonl'), (status) => book.addStatus(status));
  await eachLine<LedgerFault>(join(inside, 'faults.jsonl'), (fault) => book.addFault(fault));
  book.sort();
  return book;
}

async function eachLine<T>(path: string, take: (value: T) => void): Promise<void> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    try {
      take(JSON.parse(line) as T);
    } catch (error) {
      throw new VoltstreamError('LEDGER_UNREADABLE', 'a line of the ledger is no JSON', { where: `${path}:${number}`, got: line.slice(0, 80), cause: error });
    }
  }
}

function listOf<T>(map: Map<string, T[]>, key: string): T[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}

/** Names of stations are ASCII. */
export function byBytes(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
