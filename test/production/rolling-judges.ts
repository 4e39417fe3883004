import type { LogLine } from './served-pod.ts';

/**
 * Tasks that a life of a pod has loaded without need: claimed again although they had stayed with it, or lost otherwise than by an assignment or the
 * stop. Empty when tasks that stay are not reloaded.
 */
export function reloads(pod: string, lines: readonly LogLine[]): readonly string[] {
  const held = new Set<string>();
  const found: string[] = [];
  for (const { msg, task, reason } of lines) {
    if (task === undefined) continue;
    if (msg === 'task claimed') {
      if (held.has(task)) found.push(`${pod} claimed ${task} while it held it`);
      held.add(task);
    } else if (msg === 'task dropped') {
      held.delete(task);
      if (reason !== 'assigned elsewhere' && reason !== 'stopped') found.push(`${pod} lost ${task}: ${reason ?? ''}`);
    }
  }
  return found;
}

/** Answers of ClickHouse about one base table, with merges stopped. */
export interface TableCount {
  readonly table: string;
  readonly rows: number;
  /** Rows that differ in key and version: two of one version are one row that came twice. */
  readonly distinct: number;
}

export interface RollingFacts {
  readonly tables: readonly TableCount[];
  /** Records of the input topic, and raw events by offset in the table. */
  readonly inputRecords: number;
  readonly rawEvents: number;
  readonly deadLetters: number;
  readonly reloads: readonly string[];
  readonly exitCodes: readonly (number | null)[];
  readonly recoveryMs: readonly number[];
}

/** What is wrong with a rolling restart; empty when it lost nothing, doubled nothing, reloaded nothing and caught up. */
export function judgeRolling(facts: RollingFacts): readonly string[] {
  const wrong: string[] = [...facts.reloads];
  if (facts.inputRecords === 0) wrong.push('there was no input');
  const kept = facts.rawEvents + facts.deadLetters;
  if (kept < facts.inputRecords) wrong.push(`lost: ${facts.inputRecords - kept} of ${facts.inputRecords} input records are in no table`);
  if (facts.rawEvents > facts.inputRecords) wrong.push(`doubled: ${facts.rawEvents} raw events of ${facts.inputRecords} input records`);
  for (const { table, rows, distinct } of facts.tables) if (rows !== distinct) wrong.push(`doubled: ${rows - distinct} rows of ${table} came twice`);
  for (const code of facts.exitCodes) if (code !== 0) wrong.push(`a pod ended with ${code ?? 'a signal'} at SIGTERM`);
  return wrong;
}
