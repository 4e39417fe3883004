import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { registered } from './avro-codec.ts';
import { FileRegistry } from './file-registry.ts';
import { describeSchemaRegistry } from './registry-contract.ts';

async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'voltstream-registry-'));
}

describeSchemaRegistry('FileRegistry', async () => {
  const folder = await temporaryFolder();
  return {
    connect: () => new FileRegistry({ folder: join(folder, 'schemas') }),
    remove: () => rm(folder, { recursive: true }),
  };
});

function form(name: string, ...fields: readonly object[]): ReturnType<typeof registered> {
  return registered({ type: 'record', name, fields });
}

describe('the folder of a FileRegistry', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function open(): Promise<FileRegistry> {
    const registry = new FileRegistry({ folder });
    await registry.open();
    return registry;
  }

  it('numbers schemas from 1 and lists subjects and versions', async () => {
    const registry = await open();
    const x = { name: 'x', type: 'int' };
    expect(await registry.register('b-value', form('R', x))).toBe(1);
    expect(await registry.register('b-value', form('R', x, { name: 'y', type: 'int', default: 0 }))).toBe(2);
    expect(await registry.register('a-value', form('R', x))).toBe(1);
    expect(await registry.subjects()).toEqual(['a-value', 'b-value']);
    expect(await registry.versions('b-value')).toEqual([1, 2]);
    expect(await registry.versions('c-value')).toEqual([]);
    expect(await readdir(folder)).toEqual(['000001.json', '000002.json', '000003.json']);
  });

  it('holds a subject to the level that any process has set', async () => {
    const [registry, other] = [await open(), await open()];
    const [x, y] = [{ name: 'x', type: 'int' }, { name: 'y', type: 'int', default: 0 }];
    await registry.register('r-value', form('R', x));
    await registry.setCompatibility('r-value', 'FORWARD');
    await expect(other.register('r-value', form('R', y))).rejects.toThrow(/SCHEMA_INCOMPATIBLE[^]*FORWARD/);
    await other.setCompatibility('r-value', 'NONE');
    expect(await registry.register('r-value', form('R', y))).toBe(2);
  });

  it('is not harmed by a process that was killed while it wrote', async () => {
    const registry = await open();
    await registry.register('r-value', form('R'));
    await writeFile(join(folder, '8c1d.tmp'), '{"kind":"sch');
    const again = await open();
    expect(await again.register('s-value', form('S'))).toBe(2);
  });

  it('refuses to go on when an entry is missing, for ids would be given out twice', async () => {
    const registry = await open();
    for (const name of ['R', 'S', 'T']) await registry.register(`${name}-value`, form(name));
    await unlink(join(folder, '000002.json'));
    await expect(open()).rejects.toThrow(/REGISTRY_UNAVAILABLE: an entry of the schema registry is missing/);
  });

  it('refuses an entry that is not whole JSON, and says which', async () => {
    await writeFile(join(folder, '000001.json'), '{"kind":');
    await expect(open()).rejects.toThrow(/REGISTRY_UNAVAILABLE[^]*000001\.json/);
  });

  it('gives out each id once to several processes, one of which is killed again and again', async () => {
    const program = `
      const { FileRegistry } = await import(${JSON.stringify(new URL('file-registry.ts', import.meta.url).href)});
      const registry = new FileRegistry({ folder: process.argv[1] });
      await registry.open();
      console.log('go');
      for (let n = 0; n < 40; n++) {
        const schema = { type: 'record', name: 'R' + process.argv[2] + '_' + n, fields: [] };
        const id = await registry.register('s' + n % 3 + process.argv[2], { kind: 'registered', name: schema.name, schema });
        console.log(id + ' ' + schema.name);
      }`;
    const run = async (label: string, killAfterLines: number): Promise<readonly string[]> => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program, '--', folder, label], { stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.split('\n').length > killAfterLines) child.kill('SIGKILL');
      });
      await once(child, 'close');
      return output.split('\n').slice(1, -1);
    };
    const registry = await open();
    await registry.setCompatibility('s0x', 'NONE');
    for (const subject of ['s0', 's1', 's2']) for (const label of ['a', 'b', 'k']) await registry.setCompatibility(subject + label, 'NONE');
    const killed = (async () => [...(await run('k', 5)), ...(await run('k', 12)), ...(await run('k', 23))])();
    const lines = (await Promise.all([run('a', 1_000), run('b', 1_000), killed])).flat();
    const byId = new Map<string, Set<string>>();
    for (const line of lines) {
      const [id, name] = line.split(' ') as [string, string];
      byId.set(id, (byId.get(id) ?? new Set()).add(name));
    }
    expect(byId.size).toBeGreaterThan(80);
    expect([...byId.values()].filter((names) => names.size > 1)).toEqual([]);
  });
});
