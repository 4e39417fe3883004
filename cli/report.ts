import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { askQuestions, reportQuestions } from '../charging/report/answers.ts';
import type { AnswerRow } from '../charging/report/answers.ts';
import { reportText } from '../charging/report/report-text.ts';
import { questionSql } from '../charging/views/part-of-network.ts';
import type { PartOfNetwork } from '../charging/views/part-of-network.ts';
import { questionNamed, questions, sections } from '../charging/views/questions.ts';
import type { Section } from '../charging/views/questions.ts';
import { VoltstreamError } from '../errors.ts';
import { loadConfiguration } from '../runtime/configuration.ts';
import type { Configuration, ConfigurationSources } from '../runtime/configuration.ts';
import { withQuery } from './query.ts';

export interface ReportOptions {
  /** Empty: all of them. */
  readonly sections: readonly string[];
  readonly part: PartOfNetwork;
  readonly json: boolean;
  /** A question whose SQL is printed in place of a report; null: none. */
  readonly showSql: string | null;
}

/** Answers the questions that people ask of a network, as text or JSON: of everything, or of a part of it and of the time. */
export async function report(sources: ConfigurationSources, options: ReportOptions): Promise<void> {
  checkDays(options.part);
  const wanted = sectionsOf(options.sections);
  const configuration = loadConfiguration(sources);
  const { database } = configuration.warehouse;
  if (options.showSql !== null) {
    process.stdout.write(`${sqlOf(options.showSql, database, options.part)}\n`);
    return;
  }
  if (isEmpty(configuration)) {
    process.stdout.write(options.json ? '{}\n' : `There is nothing in ${configuration.dataFolder} yet: voltstream run fills it, with the shipped sessions or with what voltstream ingest takes.\n`);
    return;
  }
  const asked = reportQuestions(wanted, options.part);
  const answers = await withQuery(configuration, (ask) =>
    askQuestions(async (sql) => rowsOf(await ask(sql, 'JSONEachRow')), asked, database, options.part));
  if (options.json) {
    process.stdout.write(`${JSON.stringify(Object.fromEntries(answers))}\n`);
    return;
  }
  const text = reportText(answers, process.stdout.isTTY);
  process.stdout.write(`${text === '' ? nothingKnown(options.part) : text}\n`);
}

/** The embedded ClickHouse has no folder before the first run; a server may have anything. */
function isEmpty({ warehouse, dataFolder }: Configuration): boolean {
  return warehouse.kind === 'chdb' && !existsSync(join(dataFolder, 'clickhouse'));
}

function nothingKnown(part: PartOfNetwork): string {
  const limits = Object.entries(part).map(([name, value]) => `${name} ${String(value)}`);
  return limits.length === 0 ? 'There is nothing to tell yet.' : `Nothing is known of ${limits.join(', ')}.`;
}

function rowsOf(text: string): readonly AnswerRow[] {
  return text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as AnswerRow);
}

function sectionsOf(names: readonly string[]): readonly Section[] {
  const all = Object.keys(sections) as Section[];
  const unknown = names.find((name) => !(all as readonly string[]).includes(name));
  if (unknown !== undefined) throw wrong('there is no such section', '--section', all.join(', '), unknown);
  return names.length === 0 ? all : names as readonly Section[];
}

/** As a dashboard would ask it; a question with parameters has those of an example. */
function sqlOf(name: string, database: string, part: PartOfNetwork): string {
  const question = questionNamed(name);
  if (question === undefined) throw wrong('there is no such question', '--show-sql', questions.map((one) => one.name).join(', '), name);
  return `-- ${question.sentence}\n${questionSql(question, database, part)}`;
}

function checkDays({ fromDay, toDay }: PartOfNetwork): void {
  for (const [flag, value] of [['--from', fromDay], ['--to', toDay]] as const) {
    if (value !== undefined && !isDay(value)) throw wrong('this is no day', flag, 'YYYY-MM-DD', value);
  }
  if (fromDay !== undefined && toDay !== undefined && fromDay > toDay) throw wrong('the time ends before it begins', '--to', `${fromDay} or later`, toDay);
}

function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function wrong(what: string, where: string, wanted: string, got: string): VoltstreamError {
  return new VoltstreamError('CONFIGURATION_INVALID', what, { where, wanted, got, cure: 'See voltstream report --help.' });
}
