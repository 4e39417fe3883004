import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pictureFolder, pictures } from './pictures.ts';

it.each(Object.entries(pictures))('%s shows what the engine gives (else: node docs/pictures.ts)', (file, draw) => {
  expect(draw()).toBe(readFileSync(join(pictureFolder, file), 'utf8'));
});
