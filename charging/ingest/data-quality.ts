import { VoltstreamError } from '../../errors.ts';
import { json } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import type { ColumnType, TableDefinition } from '../engine.ts';
import { storableMs } from '../month-partition.ts';
import type { QuarantinedRow, SessionLogMapping, SessionLogRow } from '../session-log/mapping.ts';
import { concernsOf, rowConcerns } from './row-counts.ts';
import { text } from '../table-columns.ts';
import type { TableRow } from '../table-columns.ts';

/** What was found in batches of rows: one record a check and batch, read by the topology into the table of the same name. */
export const dataQualityTopic = 'charging.data-quality';

const examplesMax = 5;

/** How the rows of one ingestion did in one check; rows that were taken before are not in it. */
export interface QualityFinding {
  /** Name of the mapping. */
  readonly source: string;
  /** The ingestion: the same rows with the same past give the same id. */
  readonly batch: string;
  /** A check of the mapping, a concern of any session log (`missing-stop`...), or `unreadable` for quarantined rows. */
  readonly check: string;
  readonly rowsChecked: number;
  readonly rowsFailed: number;
  /** The first that failed, as file:line. */
  readonly examples: readonly string[];
  readonly checkedMs: number;
}

export const qualityFinding: Codec<QualityFinding> = json<QualityFinding>('quality-finding.v1');

/** One finding a check, those that no row fails among them: the mapping's checks last. */
export function findingsOf(
  rows: readonly SessionLogRow[], refused: readonly QuarantinedRow[], mapping: SessionLogMapping, batch: string, checkedMs: number,
): readonly QualityFinding[] {
  const failed = new Map<string, { rowsFailed: number; examples: string[] }>(
    [...rowConcerns, 'unreadable', ...(mapping.checks ?? []).map(({ name }) => name)].map((check) => [check, { rowsFailed: 0, examples: [] }]),
  );
  const fail = (check: string, { file, line }: { readonly file: string; readonly line: number }): void => {
    const found = failed.get(check) ?? { rowsFailed: 0, examples: [] };
    failed.set(check, found);
    found.rowsFailed += 1;
    if (found.examples.length < examplesMax) found.examples.push(`${file}:${line}`);
  };
  for (const row of rows) for (const concern of concernsOf(row)) fail(concern, row);
  for (const row of refused) fail('unreadable', row);
  const rowsChecked = rows.length + refused.length;
  return [...failed].map(([check, found]) => ({ source: mapping.name, batch, check, rowsChecked, ...found, checkedMs }));
}

export function shareOf({ rowsFailed, rowsChecked }: QualityFinding): number {
  return rowsChecked === 0 ? 0 : rowsFailed / rowsChecked;
}

/** The findings of which more rows fail than may: by the check's own `maxShare`, else by `failAbove` (null: any share may). */
export function findingsAbove(findings: readonly QualityFinding[], mapping: SessionLogMapping, failAbove: number | null): readonly QualityFinding[] {
  const own = new Map((mapping.checks ?? []).map(({ name, maxShare }) => [name, maxShare]));
  return findings.filter((finding) => {
    const limit = own.get(finding.check) ?? failAbove;
    return limit !== null && shareOf(finding) > limit;
  });
}

/** Why a batch is not taken. */
export function batchRefused(above: readonly QualityFinding[], source: string): VoltstreamError {
  const said = above.map((finding) =>
    `${finding.check}: ${finding.rowsFailed} of ${finding.rowsChecked} rows (${percent(shareOf(finding))}), first ${finding.examples.join(', ')}`);
  return new VoltstreamError('BATCH_REFUSED', 'more rows fail a check than may; nothing was taken', { where: source, got: said.join('; ') });
}

export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

const columns = {
  source: text, batch: 'String', check: text, checked_time: "DateTime64(3, 'UTC')", rows_checked: 'UInt64', rows_failed: 'UInt64', share: 'Float64',
  examples: 'Array(String)',
} as const satisfies Readonly<Record<string, ColumnType>>;

export type DataQualityTableRow = TableRow<typeof columns>;

/** The table of all findings, as `deploy/clickhouse/` creates it. */
export function dataQualityTable(database: string): TableDefinition<DataQualityTableRow> {
  return { database, table: 'data_quality', columns, partitionOf: () => '' };
}

export function dataQualityRow(finding: QualityFinding): DataQualityTableRow {
  return {
    source: finding.source, batch: finding.batch, check: finding.check, checked_time: storableMs(finding.checkedMs), rows_checked: finding.rowsChecked,
    rows_failed: finding.rowsFailed, share: shareOf(finding), examples: finding.examples,
  };
}
