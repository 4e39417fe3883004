import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChdbWarehouse } from './chdb-warehouse.ts';
import { warehouseContract } from './warehouse-contract.ts';
import { warehouseError, warehouseFailure } from './warehouse-error.ts';

describe('chDB in a worker thread', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-chdb-'));
  const warehouse = new ChdbWarehouse({ folder, pendingMax: 50 });

  beforeAll(async () => {
    await warehouse.open();
    await warehouse.command('CREATE DATABASE voltstream ENGINE = Atomic');
  });

  afterAll(async () => {
    await warehouse.close();
    rmSync(folder, { recursive: true });
  });

  warehouseContract(() => warehouse);

  it('answers queries while another one runs', async () => {
    const order: string[] = [];
    const slow = warehouse.query('SELECT count() FROM numbers(300000000) WHERE number % 7 = 3').then(() => order.push('slow'));
    await warehouse.query('SELECT 1').then(() => order.push('quick'));
    await slow;
    expect(order).toEqual(['quick', 'slow']);
  });

  it('keeps to its memory', async () => {
    await expect(warehouse.query('SELECT groupArray(number) FROM numbers(300000000)')).rejects.toThrow(/WAREHOUSE_UNAVAILABLE(.|\n)*MEMORY_LIMIT/);
    const setting = await warehouse.query("SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'");
    expect(setting).toEqual([{ value: '500000000' }]);
  });

  it('leaves no spooled rows behind', async () => {
    expect(readdirSync(join(folder, 'voltstream-spool'))).toEqual([]);
  });

  it('refuses what would wait behind too much', async () => {
    const asked = Array.from({ length: 60 }, () => warehouse.query('SELECT 1').then(() => 'answered', (error: unknown) => String(error)));
    const answers = await Promise.all(asked);
    expect(answers.filter((answer) => answer === 'answered')).toHaveLength(50);
    expect(answers.at(-1)).toMatch(/WAREHOUSE_UNAVAILABLE(.|\n)*50 statements wait/);
  });

  it('is busy for a second warehouse in this process and for another process', async () => {
    await expect(new ChdbWarehouse({ folder }).open()).rejects.toThrow('DATA_FOLDER_BUSY');
    const program = `import { ChdbWarehouse } from ${JSON.stringify(new URL('./chdb-warehouse.ts', import.meta.url).href)};
      await new ChdbWarehouse({ folder: process.argv[1] }).open().catch((error) => console.log(error.message));`;
    const other = spawnSync(process.execPath, ['--input-type=module', '-e', program, folder], { encoding: 'utf8' });
    expect(other.stdout).toMatch(new RegExp(`DATA_FOLDER_BUSY(.|\n)*got: process ${process.pid}`));
    expect(other.status).toBe(0);
  });

  it('opens again after it was closed, with what it held, and lets the process end', () => {
    const program = `import { ChdbWarehouse } from ${JSON.stringify(new URL('./chdb-warehouse.ts', import.meta.url).href)};
      const warehouse = new ChdbWarehouse({ folder: process.argv[1] });
      await warehouse.open();
      await warehouse.command('CREATE DATABASE kept ENGINE = Atomic');
      await warehouse.close();
      await warehouse.open();
      console.log(await warehouse.queryText("SELECT name FROM system.databases WHERE name = 'kept'", 'TabSeparated'));
      await warehouse.close();
      await warehouse.close();
      await warehouse.query('SELECT 1').catch((error) => console.log(error.code));`;
    const own = mkdtempSync(join(tmpdir(), 'voltstream-chdb-'));
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', program, own], { encoding: 'utf8', timeout: 20_000 });
    rmSync(own, { recursive: true });
    expect({ status: child.status, signal: child.signal, words: child.stdout.split(/\s+/) }).toEqual({
      status: 0,
      signal: null,
      words: ['kept', 'WAREHOUSE_UNAVAILABLE', ''],
    });
  });

  it.each([
    ['process.exit(7)', 7],
    ["throw new Error('planted')", 1],
  ])('lets a process end in the middle of inserts: %s', (ending, status) => {
    const program = `import { ChdbWarehouse } from ${JSON.stringify(new URL('./chdb-warehouse.ts', import.meta.url).href)};
      const warehouse = new ChdbWarehouse({ folder: process.argv[1] });
      await warehouse.open();
      await warehouse.command('CREATE DATABASE v ENGINE = Atomic');
      await warehouse.command('CREATE TABLE v.t (n UInt32) ENGINE = MergeTree ORDER BY n');
      setTimeout(() => { ${ending}; }, 100);
      const rows = [new Uint8Array(400_000)];
      for (;;) await warehouse.insert({ database: 'v', table: 't', columns: ['n'], types: ['UInt32'], rows, rowCount: 100_000, token: null });`;
    const own = mkdtempSync(join(tmpdir(), 'voltstream-chdb-'));
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', program, own], { encoding: 'utf8', timeout: 20_000 });
    rmSync(own, { recursive: true });
    expect({ status: child.status, signal: child.signal }).toEqual({ status, signal: null });
  });

  it('gives two answers in pieces at a time, and a third when one of them has ended', async () => {
    const sql = 'SELECT number, randomPrintableASCII(200) FROM numbers(1000000)';
    const open = Array.from({ length: 2 }, () => warehouse.stream(sql, 'CSV'));
    for (const stream of open) expect((await stream.next()).done).toBe(false);
    await expect(warehouse.stream(sql, 'CSV').next()).rejects.toMatchObject({ code: 'WAREHOUSE_UNAVAILABLE' });
    await open[0]?.return(undefined);
    const third = warehouse.stream('SELECT 3', 'CSV');
    expect(Buffer.from((await third.next()).value as Uint8Array).toString()).toBe('3\n');
    await Promise.all([third.return(undefined), open[1]?.return(undefined)]);
  });

  it.each([
    ['process.exit(7)', 7],
    ["throw new Error('planted')", 1],
    ['await warehouse.close(); process.exitCode = 3; break', 3],
  ])('lets a process end in the middle of an answer: %s', (ending, status) => {
    const program = `import { ChdbWarehouse } from ${JSON.stringify(new URL('./chdb-warehouse.ts', import.meta.url).href)};
      const warehouse = new ChdbWarehouse({ folder: process.argv[1] });
      await warehouse.open();
      for await (const piece of warehouse.stream('SELECT number, randomPrintableASCII(200) FROM numbers(20000000)', 'CSV')) { ${ending}; }`;
    const own = mkdtempSync(join(tmpdir(), 'voltstream-chdb-'));
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', program, own], { encoding: 'utf8', timeout: 20_000 });
    rmSync(own, { recursive: true });
    expect({ status: child.status, signal: child.signal }).toEqual({ status, signal: null });
  });

  it.each(['SIGABRT', 'SIGSEGV'])('lets a process that crashes by %s end, after inserts and queries', (signal) => {
    const program = `import { ChdbWarehouse } from ${JSON.stringify(new URL('./chdb-warehouse.ts', import.meta.url).href)};
      const warehouse = new ChdbWarehouse({ folder: process.argv[1] });
      await warehouse.open();
      await warehouse.command('CREATE TABLE default.t (n UInt32) ENGINE = MergeTree ORDER BY n');
      const rows = [new Uint8Array(4_000)];
      await warehouse.insert({ database: 'default', table: 't', columns: ['n'], types: ['UInt32'], rows, rowCount: 1_000, token: null });
      console.log(await warehouse.queryText('SELECT count() FROM default.t', 'TabSeparated'));
      process.kill(process.pid, '${signal}');
      setInterval(() => {}, 1_000);`;
    const own = mkdtempSync(join(tmpdir(), 'voltstream-chdb-'));
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', program, own], { encoding: 'utf8', timeout: 20_000, killSignal: 'SIGKILL' });
    rmSync(own, { recursive: true });
    expect({ count: child.stdout.trim(), status: child.status, signal: child.signal }).toEqual({ count: '1000', status: null, signal });
  });
});

describe('errors of the warehouse', () => {
  it.each([
    ['DISK_FULL', Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })],
    ['DISK_FULL', new Error('Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)')],
    ['DISK_FULL', new Error('Code: 75. DB::Exception: Cannot write to file, errno: 28, strerror: No space left on device. (CANNOT_WRITE_TO_FILE_DESCRIPTOR)')],
    ['WAREHOUSE_REFUSED', new Error('Code: 60. DB::Exception: Table d.t does not exist. (UNKNOWN_TABLE)')],
    ['WAREHOUSE_REFUSED', Object.assign(new Error('Syntax error: failed at position 113 (FORMAT): FORMAT JSONEachRow.'), { type: 'FORMAT' })],
    ['WAREHOUSE_UNAVAILABLE', new Error('Code: 252. DB::Exception: Too many parts. (TOO_MANY_PARTS)')],
    ['WAREHOUSE_UNAVAILABLE', new Error('socket hang up')],
  ])('%s: %s', (code, error) => {
    expect(warehouseError(warehouseFailure(error), 'here').code).toBe(code);
  });
});
