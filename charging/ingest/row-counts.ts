import type { SessionLogRow } from '../session-log/mapping.ts';

/** What is odd about the rows of a session log, as far as a row shows it by itself. */
export interface RowCounts {
  /** Rows with at least one concern. */
  readonly flagged: number;
  /** How many rows have which concern: what is broken, and the checks of the mapping that fail. */
  readonly concerns: Readonly<Record<string, number>>;
  /** Times that the clock showed twice, and times that it never showed. */
  readonly ambiguous: number;
  readonly skippedTimes: number;
}

/** What may be broken in a row of any session log. */
export const rowConcerns = ['missing-start', 'missing-stop', 'stop-before-start', 'missing-energy', 'negative-energy'] as const;

/** The concerns of one row. The names of what is broken are those of the session's flags. */
export function concernsOf(row: SessionLogRow): readonly string[] {
  const broken: (typeof rowConcerns)[number][] = [];
  if (row.startMs === null) broken.push('missing-start');
  if (row.stopMs === null) broken.push('missing-stop');
  if (row.startMs !== null && row.stopMs !== null && row.stopMs < row.startMs) broken.push('stop-before-start');
  if (row.energyWh === null) broken.push('missing-energy');
  if (row.energyWh !== null && row.energyWh < 0) broken.push('negative-energy');
  return row.doubts.length === 0 ? broken : [...broken, ...row.doubts];
}

export function countRows(rows: readonly SessionLogRow[]): RowCounts {
  const concerns: Record<string, number> = {};
  let [flagged, ambiguous, skippedTimes] = [0, 0, 0];
  for (const row of rows) {
    const own = concernsOf(row);
    if (own.length > 0) flagged++;
    for (const concern of own) concerns[concern] = (concerns[concern] ?? 0) + 1;
    for (const clock of [row.startClock, row.stopClock]) {
      if (clock === 'ambiguous') ambiguous++;
      if (clock === 'skipped') skippedTimes++;
    }
  }
  return { flagged, concerns, ambiguous, skippedTimes };
}
