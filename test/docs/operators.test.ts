import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as voltstream from '../../index.ts';
import { codeBlocks, pages, root } from './pages.ts';

const page = pages().find(({ path }) => path === 'docs/operators.md');
const rows = [...(page?.text ?? '').matchAll(/^\| (.+?) \| .+ \|$/gm)].map(([, first = '']) => first).join('\n');
const code = page === undefined ? '' : codeBlocks(page).map((block) => block.code).join('\n');

/** Public functions of operator files: steps of a pipe. */
const folder = join(root, 'operators');
const files = readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
const names = (await Promise.all(files.map(async (file) => Object.keys(await import(join(folder, file)) as object))))
  .flat().filter((name) => name in voltstream && typeof (voltstream as Record<string, unknown>)[name] === 'function');

it('the reference has a row and an example of every operator', () => {
  expect(names.length).toBeGreaterThan(25);
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(rows))).toEqual([]);
  // statefulStep is statefulOperator set up once per task; its example is in "Writing an operator".
  expect(names.filter((name) => name !== 'statefulStep' && !new RegExp(`\\b${name}\\(`).test(code))).toEqual([]);
});
