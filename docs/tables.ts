import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { questions } from '../charging/views/questions.ts';
import { errorCatalogue } from '../errors.ts';
import { configurationTable } from '../runtime/configuration.ts';
import { metricCatalogue } from '../runtime/metrics.ts';
import type { MetricDefinition } from '../runtime/metrics/catalogue.ts';

/** A page of this folder with a table that is made from the code. `node docs/tables.ts` writes them; a test compares them. */
export interface TablePage {
  readonly file: string;
  readonly lines: () => readonly string[];
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

export const tablePages: readonly TablePage[] = [
  {
    file: 'errors.md',
    lines: () => [
      row(['code', 'cause', 'cure']), row(['---', '---', '---']),
      ...Object.entries(errorCatalogue).map(([code, { cause, cure }]) => row([`\`${code}\``, cause, cure])),
    ],
  },
  { file: 'configuration.md', lines: configurationTable },
  {
    file: 'metrics.md',
    lines: () => [
      row(['metric', 'kind', 'labels', 'meaning']), row(['---', '---', '---', '---']),
      ...Object.values(metricCatalogue).map(({ name, kind, labels, help }: MetricDefinition) =>
        row([`\`${name}\``, kind, labels.map((label) => `\`${label}\``).join(' '), help])),
    ],
  },
  {
    file: 'questions.md',
    lines: () => [
      row(['question', 'view', 'section of the report']), row(['---', '---', '---']),
      ...questions.map(({ name, sentence, section, example }) => row([sentence, `\`${name}${example === null ? '' : `(${example})`}\``, example === null ? section : '-'])),
    ],
  },
];

const begin = '<!-- table: written by docs/tables.ts -->\n';
const end = '\n<!-- end of table -->';

export function tableIn(page: TablePage): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, page.file), 'utf8');
  return text.slice(text.indexOf(begin) + begin.length, text.indexOf(end)).split('\n');
}

function write(page: TablePage): void {
  const path = join(import.meta.dirname, page.file);
  const text = readFileSync(path, 'utf8');
  const [before, after] = [text.indexOf(begin), text.indexOf(end)];
  if (before < 0 || after < 0) throw new Error(`${path} has no place for its table`);
  writeFileSync(path, text.slice(0, before + begin.length) + page.lines().join('\n') + text.slice(after));
}

if (import.meta.main) for (const page of tablePages) write(page);
