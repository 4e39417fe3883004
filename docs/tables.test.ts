import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfiguration } from '../runtime/configuration.ts';
import { tableIn, tablePages } from './tables.ts';

const page = (file: string): string => readFileSync(join(import.meta.dirname, file), 'utf8');

describe('pages with tables', () => {
  it.each(tablePages)('$file says what the code says (else: node docs/tables.ts)', (tablePage) => {
    expect(tableIn(tablePage)).toEqual(tablePage.lines());
  });

  it('configuration.md has an example that is valid', () => {
    const example = /```yaml\n([\s\S]+?)```/.exec(page('configuration.md'))?.[1] ?? '';
    const folder = mkdtempSync(join(tmpdir(), 'example-'));
    writeFileSync(join(folder, 'production.yaml'), example);
    expect(loadConfiguration({ file: join(folder, 'production.yaml') }).log.brokers).toEqual(['kafka-1:9092', 'kafka-2:9092']);
    rmSync(folder, { recursive: true });
  });
});
