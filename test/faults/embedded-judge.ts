import type { Observation, ObservedTable, ObservedTopic } from './embedded-observation.ts';

/** What is wrong with a run, compared with an undisturbed one; empty when every row and record is there exactly once. */
export function problemsOf(judged: Observation, reference: Observation): readonly string[] {
  return [
    ...reference.tables.flatMap((expected) => tableProblems(judged.tables.find(({ table }) => table === expected.table), expected)),
    ...reference.topics.flatMap((expected) => topicProblems(judged.topics.find(({ topic }) => topic === expected.topic), expected)),
  ];
}

const samplesMax = 3;

function tableProblems(found: ObservedTable | undefined, expected: ObservedTable): readonly string[] {
  const { table } = expected;
  if (found === undefined) return [`${table}: not there`];
  const problems: string[] = [];
  if (found.mergedParts > 0) problems.push(`${table}: ${found.mergedParts} parts were merged, so that nothing can be said`);
  if (found.rows !== found.keys) problems.push(`${table}: ${found.rows} rows for ${found.keys} keys`);
  return [...problems, ...differences(table, found.content, expected.content)];
}

function topicProblems(found: ObservedTopic | undefined, expected: ObservedTopic): readonly string[] {
  if (found?.partitions.length !== expected.partitions.length) return [`${expected.topic}: other partitions`];
  return expected.partitions.flatMap((lines, partition) => {
    const actual = found.partitions[partition] ?? [];
    const name = `${expected.topic}-${partition}`;
    const problems = differences(name, actual, lines);
    if (problems.length > 0) return problems;
    const at = lines.findIndex((line, index) => line !== actual[index]);
    return at < 0 ? [] : [`${name}: another order from record ${at} on`];
  });
}

/** Compares as multisets: what is missing, and what is too much. */
function differences(name: string, found: readonly string[], expected: readonly string[]): readonly string[] {
  const surplus = new Map<string, number>();
  for (const line of found) surplus.set(line, (surplus.get(line) ?? 0) + 1);
  for (const line of expected) surplus.set(line, (surplus.get(line) ?? 0) - 1);
  const extra = [...surplus].filter(([, count]) => count > 0);
  const lost = [...surplus].filter(([, count]) => count < 0);
  const told = (what: string, lines: readonly (readonly [string, number])[]): readonly string[] => lines.length === 0
    ? []
    : [`${name}: ${lines.length} ${what}, e.g. ${lines.slice(0, samplesMax).map(([line]) => line).join('\n    ')}`];
  return [...told('lost', lost), ...told('too much', extra)];
}
