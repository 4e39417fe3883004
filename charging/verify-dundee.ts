import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';

/**
 * Checks `charging_sessions` against the source files of Dundee, row by row. On purpose it shares no code with what reads,
 * expands and stitches them: a mistake there must not be made here, too.
 */

/** What becomes of a row of the source. A row belongs to the first class that fits, in this order. */
export const rowClasses = {
  'no-charge-point': 'names no charge point; quarantined',
  unreadable: 'cannot be read, or comes a second time; quarantined',
  'no-stop': 'has no stop; its session is flagged missing-stop',
  'stop-before-start': 'stops before it starts; flagged so, or missing-stop where the stop was a dead letter',
  'clock-change': 'stops before it starts on the clock only, which was put back meanwhile; exact',
  'negative-energy': 'has an energy below zero; start and stop exact, energy unknown, flagged',
  overlap: 'shares its connector with another row at some time; exact or flagged overlap',
  sound: 'has a stop, not before its start, energy not negative, no overlap; exact, or flagged implausible-energy',
} as const;
export type RowClass = keyof typeof rowClasses;

export interface DundeeRow {
  readonly id: string;
  readonly stationId: string;
  readonly connectorId: number;
  readonly startMs: number;
  readonly stopMs: number | null;
  readonly energyWh: number | null;
  /** The clock on the wall showed less at the stop than at the start. */
  readonly clockWentBack: boolean;
  readonly rowClass: RowClass;
}

/** A row of `charging_sessions FINAL` as `dundeeSessionsSql` asks for it; 64-bit integers come as strings. */
export interface SessionAnswer {
  readonly session_id: string;
  readonly station_id: string;
  readonly connector_id: number;
  readonly transaction_id: string | null;
  readonly start_ms: string | number;
  readonly stop_ms: string | number | null;
  readonly energy_wh: string | number | null;
  /** What the registers say, whatever it is worth. */
  readonly register_wh: string | number | null;
  readonly flags: readonly string[];
}

export function dundeeSessionsSql(database: string): string {
  return `SELECT session_id, station_id, connector_id, transaction_id, toUnixTimestamp64Milli(start_time) AS start_ms,
  toUnixTimestamp64Milli(stop_time) AS stop_ms, energy_wh, register_wh, flags
FROM ${database}.charging_sessions FINAL`;
}

export interface Mismatch {
  readonly id: string;
  readonly rowClass: RowClass | 'unknown';
  readonly what: string;
  readonly wanted: string;
  readonly got: string;
}

export interface ClassCount {
  readonly rowClass: RowClass;
  readonly rows: number;
  /** Start, stop, energy, station and connector are those of the row. */
  readonly exact: number;
  /** Not exact, and the session (or its absence) says why. */
  readonly accounted: number;
  readonly wrong: number;
}

export interface Verification {
  readonly ok: boolean;
  /** Rows of the source; the classes add up to it. */
  readonly rows: number;
  readonly sessions: number;
  readonly classes: readonly ClassCount[];
  readonly mismatchCount: number;
  /** The first of them. */
  readonly mismatches: readonly Mismatch[];
}

const mismatchesShown = 20;

/** The source's rows with their classes. */
export async function readDundee(folder: string = join(import.meta.dirname, 'data', 'dundee')): Promise<readonly DundeeRow[]> {
  const rows: Omit<DundeeRow, 'rowClass'>[] = [];
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.csv.gz')).sort()) {
    const text = gunzipSync(await readFile(join(folder, file))).toString('utf8');
    const records = parse(text, { columns: (header: string[]) => header.map((name, index) => name || `unnamed ${index}`) });
    for (const record of records as Record<string, string>[]) rows.push(rowOf(record));
  }
  return classifyRows(rows);
}

/** Puts each row into its class. */
export function classifyRows(rows: readonly Omit<DundeeRow, 'rowClass'>[]): readonly DundeeRow[] {
  const overlapping = overlaps(rows);
  return rows.map((row) => ({ ...row, rowClass: classOf(row, overlapping) }));
}

/** Compares the sessions with the source's rows. Sessions of other stations than Dundee's are passed over. */
export async function verifyDundee(
  answers: AsyncIterable<SessionAnswer> | Iterable<SessionAnswer>,
  rows: readonly DundeeRow[],
): Promise<Verification> {
  const stations = new Set(rows.map((row) => row.stationId));
  const byId = new Map(rows.map((row) => [row.id, row]));
  const found = new Map<string, SessionAnswer>();
  const mismatches: Mismatch[] = [];
  let sessions = 0;
  for await (const answer of answers) {
    if (!stations.has(answer.station_id)) continue;
    sessions += 1;
    const id = answer.transaction_id ?? '';
    const row = byId.get(id);
    if (row === undefined) {
      mismatches.push({ id, rowClass: 'unknown', what: 'session', wanted: 'a row of the source', got: answer.session_id });
    } else if (found.has(id)) {
      mismatches.push({ id, rowClass: row.rowClass, what: 'sessions', wanted: '1', got: 'more than 1' });
    } else {
      found.set(id, answer);
    }
  }
  const counts = new Map(Object.keys(rowClasses).map((name) => [name as RowClass, { rows: 0, exact: 0, accounted: 0, wrong: 0 }]));
  for (const row of rows) {
    const count = counts.get(row.rowClass) as { rows: number; exact: number; accounted: number; wrong: number };
    const { outcome, mismatch } = judge(row, found.get(row.id));
    count.rows += 1;
    count[outcome] += 1;
    if (mismatch !== null) mismatches.push(mismatch);
  }
  return {
    ok: mismatches.length === 0,
    rows: rows.length,
    sessions,
    classes: [...counts].map(([rowClass, count]) => ({ rowClass, ...count })),
    mismatchCount: mismatches.length,
    mismatches: mismatches.slice(0, mismatchesShown),
  };
}

interface Judgement {
  readonly outcome: 'exact' | 'accounted' | 'wrong';
  readonly mismatch: Mismatch | null;
}

function judge(row: DundeeRow, answer: SessionAnswer | undefined): Judgement {
  const wrong = (what: string, wanted: string, got: string): Judgement => ({
    outcome: 'wrong', mismatch: { id: row.id, rowClass: row.rowClass, what, wanted, got },
  });
  const exact: Judgement = { outcome: 'exact', mismatch: null };
  const accounted: Judgement = { outcome: 'accounted', mismatch: null };
  if (row.rowClass === 'no-charge-point' || row.rowClass === 'unreadable') {
    return answer === undefined ? accounted : wrong('session', 'none', answer.session_id);
  }
  if (answer === undefined) return wrong('session', 'one', 'none');
  const difference = firstDifference(row, answer);
  const has = (flag: string): boolean => answer.flags.includes(flag);
  // An energy that the connector cannot give is not believed, whatever else is odd of the row; the register still says it.
  if (difference?.what === 'energyWh' && has('implausible-energy') && answer.energy_wh === null) {
    const said = answer.register_wh === null ? null : Number(answer.register_wh);
    return said === row.energyWh ? accounted : wrong('registerWh', String(row.energyWh), String(said));
  }
  const wrongly = (flags: string): Judgement =>
    (difference === null ? wrong('flags', flags, answer.flags.join(', ') || 'none') : wrong(difference.what, difference.wanted, difference.got));
  switch (row.rowClass) {
    case 'sound':
    case 'clock-change':
      return difference === null ? exact : wrongly('');
    case 'overlap':
      if (difference === null) return exact;
      return has('overlap') ? accounted : wrongly('overlap');
    case 'negative-energy':
      return has('negative-energy') && difference?.what === 'energyWh' && answer.energy_wh === null && Number(answer.register_wh) === row.energyWh
        ? accounted
        : wrongly('negative-energy');
    case 'no-stop':
      return has('missing-stop') ? accounted : wrongly('missing-stop');
    case 'stop-before-start':
      return has('stop-before-start') || has('missing-stop') ? accounted : wrongly('stop-before-start or missing-stop');
  }
}

function firstDifference(row: DundeeRow, answer: SessionAnswer): { what: string; wanted: string; got: string } | null {
  const pairs = [
    ['station', row.stationId, answer.station_id],
    ['connector', row.connectorId, answer.connector_id],
    ['startMs', row.startMs, Number(answer.start_ms)],
    ['stopMs', row.stopMs, answer.stop_ms === null ? null : Number(answer.stop_ms)],
    ['energyWh', row.energyWh, answer.energy_wh === null ? null : Number(answer.energy_wh)],
  ] as const;
  for (const [what, wanted, got] of pairs) {
    if (wanted !== got) return { what, wanted: String(wanted), got: String(got) };
  }
  return null;
}

function rowOf(record: Readonly<Record<string, string>>): Omit<DundeeRow, 'rowClass'> {
  const start = local(record['Start Date'] ?? '', record['Start Time'] ?? '');
  const stop = record['End Date'] ? local(record['End Date'], record['End Time'] ?? '') : null;
  const startMs = start.toZonedDateTime('Europe/London').epochMilliseconds;
  let stopMs = stop?.toZonedDateTime('Europe/London').epochMilliseconds ?? null;
  if (stop !== null && stopMs !== null && stopMs < startMs) {
    // The hour that comes twice: of its two readings take the one that is not before the start.
    const laterMs = stop.toZonedDateTime('Europe/London', { disambiguation: 'later' }).epochMilliseconds;
    if (laterMs >= startMs) stopMs = laterMs;
  }
  const kiloWattHours = record['Total kWh'] ?? '';
  return {
    id: record['Charging event'] ?? '',
    stationId: record['CP ID'] ?? '',
    connectorId: Number(record['Connector']),
    startMs,
    stopMs,
    clockWentBack: stop !== null && Temporal.PlainDateTime.compare(stop, start) < 0,
    energyWh: kiloWattHours === '' ? null : wholeWattHours(kiloWattHours),
  };
}

function local(date: string, time: string): Temporal.PlainDateTime {
  const [day, month, year] = date.split('/');
  return Temporal.PlainDateTime.from(`${year}-${month}-${day}T${time}`);
}

/** By moving the decimal point in the text, without arithmetic on fractions. */
function wholeWattHours(kiloWattHours: string): number {
  const [whole = '', fraction = ''] = kiloWattHours.split('.');
  return Number(`${whole}${fraction.padEnd(3, '0').slice(0, 3)}${fraction.length > 3 ? `.${fraction.slice(3)}` : ''}`);
}

function classOf(row: Omit<DundeeRow, 'rowClass'>, overlapping: ReadonlySet<string>): RowClass {
  if (row.stationId === '') return 'no-charge-point';
  if (row.stopMs === null) return 'no-stop';
  if (row.stopMs < row.startMs) return 'stop-before-start';
  if (row.clockWentBack) return 'clock-change';
  if (row.energyWh !== null && row.energyWh < 0) return 'negative-energy';
  return overlapping.has(row.id) ? 'overlap' : 'sound';
}

/** Ids of rows that are on their connector at the same time as another: each began before the other ended. */
function overlaps(rows: readonly Omit<DundeeRow, 'rowClass'>[]): ReadonlySet<string> {
  const found = new Set<string>();
  const whole = rows.filter((row) => row.stopMs !== null && row.stopMs >= row.startMs && row.stationId !== '');
  for (const own of Map.groupBy(whole, (row) => `${row.stationId} ${row.connectorId}`).values()) {
    own.sort((a, b) => a.startMs - b.startMs);
    own.forEach((row, index) => {
      for (let next = index + 1; next < own.length; next += 1) {
        const other = own[next] as (typeof own)[number];
        if (other.startMs >= (row.stopMs ?? 0)) break;
        if (row.startMs < (other.stopMs ?? 0)) found.add(row.id).add(other.id);
      }
    });
  }
  return found;
}

/** The result for people. */
export function verificationText(result: Verification, title: string = 'Dundee'): string {
  const number = (value: number): string => value.toLocaleString('en-GB').padStart(8);
  const lines = result.classes.map(({ rowClass, rows, exact, accounted, wrong }) =>
    `  ${rowClass.padEnd(18)}${number(rows)}${number(exact)}${number(accounted)}${number(wrong)}`);
  const sum = (name: 'rows' | 'exact' | 'accounted' | 'wrong'): number => result.classes.reduce((total, one) => total + one[name], 0);
  const shown = result.mismatches.map(({ id, rowClass, what, wanted, got }) => `  ${id} (${rowClass}): ${what} wanted ${wanted}, got ${got}`);
  const more = result.mismatchCount - result.mismatches.length;
  return [
    `${title}: sessions against the rows of the source`,
    `  ${'class'.padEnd(18)}${'rows'.padStart(8)}${'exact'.padStart(8)}${'flagged'.padStart(8)}${'wrong'.padStart(8)}`,
    ...lines,
    `  ${'all'.padEnd(18)}${number(sum('rows'))}${number(sum('exact'))}${number(sum('accounted'))}${number(sum('wrong'))}`,
    ...(result.mismatchCount === 0 ? [] : ['', `${result.mismatchCount} mismatches:`, ...shown, ...(more > 0 ? [`  and ${more} more`] : [])]),
    '',
    result.ok ? 'Every row is accounted for.' : 'Not every row is accounted for.',
  ].join('\n');
}
