import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const program = join(import.meta.dirname, '..', '..', 'cli', 'voltstream.ts');
const environment = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'voltstream-compile-cache') };

/** Runs a command of voltstream to its end, which must be exit code 0, and gives its standard output. */
export async function voltstream(...words: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...words], { env: environment, maxBuffer: 256_000_000 });
  return stdout;
}

/** Asks the tables of a data folder on which nothing works. */
export async function ask<Row>(data: string, sql: string): Promise<readonly Row[]> {
  const text = await voltstream('query', sql, '--format', 'JSONEachRow', '--data', data);
  return text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Row);
}
