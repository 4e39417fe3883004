import { createHash } from 'node:crypto';
import type { Log } from '../../runtime/log/log.ts';
import type { Warehouse } from '../../runtime/sinks/warehouse.ts';

/** What a judge found in one table or topic. Sound when `lost`, `extra`, `repeated` and `disordered` are all 0. */
export interface Verdict {
  readonly what: string;
  readonly rows: number;
  /** In the reference and not here. */
  readonly lost: number;
  /** Here and not in the reference: rows that are wrong or that come twice. */
  readonly extra: number;
  /** Rows beyond one for each business key. */
  readonly repeated: number;
  /** Keys of a topic whose records are all there, but in another order. */
  readonly disordered: number;
  /** A few differences, for people. */
  readonly samples: readonly string[];
}

export function isSound(verdict: Verdict): boolean {
  return verdict.lost + verdict.extra + verdict.repeated + verdict.disordered === 0;
}

const samplesMax = 6;

/** What of a table does not follow from the order of records within each partition of the input, and so is not compared. */
interface Loose {
  /** Only what readers see is compared. */
  readonly final: boolean;
  /** Rows that readers see. */
  readonly where: string;
  /** Expressions instead of columns; null: the column is left out. */
  readonly instead: Readonly<Record<string, string | null>>;
}

export const looseTables: Readonly<Record<string, Loose>> = {
  // Rows are made when a task commits: how many there are depends on the pace.
  connectors_now: { final: true, where: '1', instead: { _version: null } },
  live_sessions: { final: true, where: '1', instead: { _version: null } },
  // Attempts come from stations of several partitions, by a topic in between, which orders those of one station only. What a visit was on its way depends
  // on whose attempt came first, and so do rows of visits that became part of others; what a visit is in the end does not.
  charging_visits: { final: true, where: 'attempts > 0', instead: { _version: null } },
  // A late attempt is named by where it lies in that topic.
  late_records: { final: false, where: '1', instead: { topic: "if(step = 'visits', '', topic)", offset: "if(step = 'visits', 0, offset)", _version: "if(step = 'visits', 0, _version)" } },
};

const strict: Loose = { final: false, where: '1', instead: {} };

interface JudgedColumns {
  /** Columns, or expressions of them, that are compared. */
  readonly names: readonly string[];
  /** What tells base rows apart: the sorting key, and the version, since a key has a row for each time it was given. */
  readonly key: string;
}

async function columnsOf(warehouse: Warehouse, database: string, table: string): Promise<JudgedColumns> {
  const { instead } = looseTables[table] ?? strict;
  const columns = await warehouse.query<{ name: string }>(
    `SELECT name FROM system.columns WHERE database = '${database}' AND table = '${table}' AND name NOT IN ('_inserted', '_batch')
      AND default_kind NOT IN ('ALIAS', 'MATERIALIZED') ORDER BY position`);
  const [found] = await warehouse.query<{ key: string }>(`SELECT sorting_key AS key FROM system.tables WHERE database = '${database}' AND name = '${table}'`);
  if (found === undefined) throw new Error(`there is no table ${database}.${table}`);
  const names = columns.filter(({ name }) => instead[name] !== null).map(({ name }) => instead[name] ?? `\`${name}\``);
  return { names, key: `${found.key}, _version` };
}

/**
 * Compares a table with that of an undisturbed run, row by row, both in the same warehouse. Merges must be stopped. Left out: when a row
 * was inserted, and how rows were cut into batches. `final` looks at what readers see instead of what was ever inserted.
 */
export async function judgeTable(
  warehouse: Warehouse, databases: { readonly reference: string; readonly judged: string }, table: string, final: boolean,
): Promise<Verdict> {
  const { names, key } = await columnsOf(warehouse, databases.reference, table);
  const loose = looseTables[table] ?? strict;
  const source = (database: string): string => `(SELECT * FROM ${database}.${table}${final || loose.final ? ' FINAL' : ''} WHERE ${loose.where})`;
  const row = `formatRow('JSONCompactEachRow', ${names.join(', ')})`;
  const hash = `sipHash128(${row})`;
  // By hash alone: the rows of millions would not fit into the memory of a query.
  const differences = `SELECT hash, sum(side) AS surplus FROM (
      SELECT ${hash} AS hash, toInt64(1) AS side FROM ${source(databases.judged)}
      UNION ALL SELECT ${hash} AS hash, toInt64(-1) AS side FROM ${source(databases.reference)}
    ) GROUP BY hash HAVING surplus != 0`;
  const [counts] = await warehouse.query<{ rows: string; keys: string }>(
    `SELECT count() AS rows, uniqExact(sipHash128(tuple(${key}))) AS keys FROM ${source(databases.judged)}`);
  const [sums] = await warehouse.query<{ lost: string; extra: string }>(
    `SELECT -sumIf(surplus, surplus < 0) AS lost, sumIf(surplus, surplus > 0) AS extra FROM (${differences})`);
  const rows = Number(counts?.rows);
  const verdict = { what: table, rows, lost: Number(sums?.lost), extra: Number(sums?.extra), repeated: rows - Number(counts?.keys), disordered: 0 };
  if (isSound({ ...verdict, samples: [] })) return { ...verdict, samples: [] };
  const wrong = `(SELECT hash FROM (${differences}))`;
  const samples = await warehouse.query<{ sample: string; side: string }>(
    `SELECT side, sample FROM (
      SELECT 'here' AS side, ${row} AS sample FROM ${source(databases.judged)} WHERE ${hash} IN ${wrong}
      UNION ALL SELECT 'wanted' AS side, ${row} AS sample FROM ${source(databases.reference)} WHERE ${hash} IN ${wrong}
    ) ORDER BY sample, side LIMIT ${samplesMax}`);
  return { ...verdict, samples: samples.map(({ sample, side }) => `${side}: ${sample.trim()}`) };
}

/** Records of a topic by key, in order; a record is a hash of its value and time. */
export type KeySequences = ReadonlyMap<string, readonly string[]>;

/** Reads a topic to its end, as a reader of committed records sees it. */
export async function readSequences(log: Log, topic: string, partitions: number): Promise<KeySequences> {
  const sequences = new Map<string, string[]>();
  for (let partition = 0; partition < partitions; partition++) {
    const { start, end } = await log.bounds({ topic, partition });
    for await (const batch of log.read({ topic, partition }, start, end)) {
      for (const record of batch.records) {
        const key = record.key === null ? '' : Buffer.from(record.key).toString();
        const content = createHash('sha256').update(String(record.timestampMs)).update(record.value ?? 'null').digest('base64');
        const sequence = sequences.get(key);
        if (sequence === undefined) sequences.set(key, [content]);
        else sequence.push(content);
      }
    }
  }
  return sequences;
}

/** Compares a topic with that of an undisturbed run: each key's records once, in the same order. */
export function judgeSequences(what: string, reference: KeySequences, judged: KeySequences): Verdict {
  const total = { rows: 0, lost: 0, extra: 0, repeated: 0, disordered: 0 };
  const samples: string[] = [];
  for (const key of new Set([...reference.keys(), ...judged.keys()])) {
    const wanted = reference.get(key) ?? [];
    const got = judged.get(key) ?? [];
    total.rows += got.length;
    const surplus = new Map<string, number>();
    for (const content of got) surplus.set(content, (surplus.get(content) ?? 0) + 1);
    for (const content of wanted) surplus.set(content, (surplus.get(content) ?? 0) - 1);
    const wantedSet = new Set(wanted);
    let lost = 0;
    let extra = 0;
    let repeated = 0;
    for (const [content, count] of surplus) {
      if (count < 0) lost -= count;
      else if (count > 0 && wantedSet.has(content)) repeated += count;
      else extra += count;
    }
    const disordered = lost + extra + repeated === 0 && got.some((content, index) => content !== wanted[index]) ? 1 : 0;
    total.lost += lost;
    total.extra += extra;
    total.repeated += repeated;
    total.disordered += disordered;
    if (lost + extra + repeated + disordered > 0 && samples.length < samplesMax) {
      const at = wanted.findIndex((content, index) => content !== got[index]);
      samples.push(`key ${key}: ${wanted.length} wanted, ${got.length} got, first difference at ${at < 0 ? wanted.length : at}`);
    }
  }
  return { what, ...total, samples };
}

export function verdictLine(verdict: Verdict): string {
  const { what, rows, lost, extra, repeated, disordered, samples } = verdict;
  const line = `${isSound(verdict) ? 'exact' : 'WRONG'} ${what}: ${rows} rows, ${lost} lost, ${extra} extra, ${repeated} repeated, ${disordered} keys out of order`;
  return [line, ...samples.map((sample) => `      ${sample}`)].join('\n');
}
