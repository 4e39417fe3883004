import { dependsOnPart, questionSql } from '../views/part-of-network.ts';
import type { PartOfNetwork } from '../views/part-of-network.ts';
import { questions } from '../views/questions.ts';
import type { Question, Section } from '../views/questions.ts';

/** A row of an answer: 64-bit integers are numbers, too; times are text, UTC unless the column says otherwise. */
export type AnswerRow = Readonly<Record<string, unknown>>;

/** Answers by question. */
export type Answers = ReadonlyMap<string, readonly AnswerRow[]>;

/** What the report asks, of everything or of a part; questions with parameters have no place in it. */
export function reportQuestions(wanted: readonly Section[], part: PartOfNetwork): readonly Question[] {
  const asked = questions.filter(({ section, example }) => example === null && wanted.includes(section));
  // What does not depend on the part would look like an answer about it.
  return Object.keys(part).length === 0 ? asked : asked.filter((one) => dependsOnPart(one, part));
}

/** 64-bit integers as numbers: none of ours is so large that JSON could not hold it. */
function jsonSql(question: Question, database: string, part: PartOfNetwork): string {
  const sql = questionSql(question, database, part);
  return `${sql}${sql.includes(' SETTINGS ') ? ',' : ' SETTINGS'} output_format_json_quote_64bit_integers = 0`;
}

/** Asks one question after another: an embedded ClickHouse has few lanes, and the next figure is not needed before this one. */
export async function askQuestions(
  ask: (sql: string) => Promise<readonly AnswerRow[]>, asked: readonly Question[], database: string, part: PartOfNetwork,
): Promise<Answers> {
  const answers = new Map<string, readonly AnswerRow[]>();
  for (const question of asked) answers.set(question.name, await ask(jsonSql(question, database, part)));
  return answers;
}
