import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dependsOnPart, questionSql } from './part-of-network.ts';
import { questionNamed, questions, sections } from './questions.ts';
import type { Question } from './questions.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (folder: string, end: string): string =>
  readdirSync(join(root, folder)).filter((name) => name.endsWith(end)).map((name) => readFileSync(join(root, folder, name), 'utf8')).join('\n');
const sql = read('deploy/clickhouse', '.sql');

describe('the catalogue of questions', () => {
  it('names each view once, and each section has a question', () => {
    expect(new Set(questions.map(({ name }) => name)).size).toBe(questions.length);
    expect([...new Set(questions.map(({ section }) => section))].sort()).toEqual(Object.keys(sections).sort());
  });

  it.each(questions.map((one) => [one.name, one] as const))('%s: its view is there, and asked with the parameters that it has', (name, { example, sentence }) => {
    const body = new RegExp(`CREATE VIEW IF NOT EXISTS \\{database\\}\\.${name} AS\\n([^;]+);`).exec(sql)?.[1] ?? '';
    expect(body).not.toBe('');
    const wanted = [...new Set([...body.matchAll(/\{(\w+):/g)].map(([, parameter]) => parameter))].sort();
    const given = [...(example ?? '').matchAll(/(\w+) = /g)].map(([, parameter]) => parameter).sort();
    expect(given).toEqual(wanted);
    expect(sentence).toMatch(/[?.]$/);
  });

  it('has every view of 0007-questions.sql but those under them', () => {
    const under = /^(session_facts|recent_days|session_\w+_(now|hold))$/;
    const views = [...readFileSync(join(root, 'deploy/clickhouse/0007-questions.sql'), 'utf8').matchAll(/CREATE VIEW IF NOT EXISTS \{database\}\.(\w+)/g)].map(([, name]) => name);
    expect(views.filter((name = '') => !under.test(name) && questionNamed(name) === undefined)).toEqual([]);
  });

  it('has a test of the answer to each question', () => {
    const tests = read('deploy/clickhouse', '.test.ts');
    expect(questions.map(({ name }) => name).filter((name) => !tests.includes(name))).toEqual([]);
  });
});

describe('questionSql', () => {
  const totals = questionNamed('network_totals') as Question;

  it('asks the whole view, in the given database', () => {
    expect(questionSql(totals, 'db')).toBe('SELECT * FROM db.network_totals');
    expect(questionSql(questionNamed('occupancy_now') as Question, 'db')).toBe("SELECT * FROM db.occupancy_now WHERE dimension = 'all'");
    expect(questionSql(questionNamed('sessions_on_day') as Question, 'db')).toBe("SELECT * FROM db.sessions_on_day(at = '2018-05-01 12:00:00')");
  });

  it('filters what the view stands on, whatever is in the names', () => {
    expect(questionSql(totals, 'db', { fromDay: '2018-01-01' })).toContain("SELECT * FROM db.network_totals SETTINGS additional_table_filters = {'db.session_facts': 'local_day >= \\'2018-01-01\\'', ");
    const place = String.raw`city = \'O\\\'Fallon\' AND site_id = \'a\\\\b\'`;
    expect(questionSql(totals, 'db', { city: "O'Fallon", site: 'a\\b' })).toBe(`SELECT * FROM db.network_totals SETTINGS additional_table_filters = {'db.session_facts': '${place}', ` +
      `'db.session_months': '${place}', 'db.session_hours': '0', 'db.session_flag_months': '0', 'db.stations_now': '${place}'}`);
    expect(questionSql(questionNamed('network_uptime') as Question, 'db', { operator: 'A', fromDay: '2018-01-01' })).toMatch(
      /SETTINGS additional_table_filters = \{'db.connectors_now': 'operator = \\'A\\'', 'db.sessions_now': 'operator = \\'A\\'', 'db.stations_now': 'operator = \\'A\\''\}$/);
  });

  it('knows which answers a part changes', () => {
    const [shares, aside] = [questionNamed('station_shares') as Question, questionNamed('set_aside') as Question];
    expect([totals, shares, aside].map((one) => dependsOnPart(one, { city: 'A' }))).toEqual([true, true, false]);
    expect([totals, shares, aside].map((one) => dependsOnPart(one, { toDay: '2018-01-01' }))).toEqual([true, false, false]);
    expect([totals, shares, aside].map((one) => dependsOnPart(one, {}))).toEqual([false, false, false]);
  });
});
