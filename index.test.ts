import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as voltstream from './index.ts';

const folder = join(import.meta.dirname, 'operators');

/** Functions of operator files that topologies reach in another way, each with that way. */
const reachedOtherwise: Readonly<Record<string, string>> = {
  aggregateStream: 'GroupedStream.aggregate',
  aggregateTable: 'GroupedTable.aggregate',
  cogroupStreams: 'CogroupedStream.aggregate',
  joinTableWithItself: 'Table.join',
  joinTables: 'Table.join',
  joinedLookup: 'Table.join',
  mergeStep: 'Stream.merge',
  reduceStream: 'GroupedStream.reduce',
  reduceTable: 'GroupedTable.reduce',
  selfJoinedLookup: 'Table.join',
  tableRepartitionMap: 'Table.groupBy',
  tableSource: 'Topology.table',
  tableToStream: 'Table.toStream',
  viewLookup: 'Table.mapValues',
  viewTable: 'Table.filter',
};

/** What steps are made of, not steps themselves. */
const innerFiles = new Set(['operator.ts', 'record-step.ts']);

async function exportsOf(file: string): Promise<readonly (readonly [name: string, value: unknown])[]> {
  return Object.entries(await import(join(folder, file)) as Record<string, unknown>);
}

const operatorFiles = readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !innerFiles.has(file));

describe('the public interface', () => {
  it.each(operatorFiles)('exports every function of operators/%s', async (file) => {
    const functions = (await exportsOf(file)).filter(([name, value]) => typeof value === 'function' && !(name in reachedOtherwise));
    for (const [name, value] of functions) expect((voltstream as Record<string, unknown>)[name], name).toBe(value);
  });

  it('leaves out only functions that exist and are reached in another way', async () => {
    const names = (await Promise.all(operatorFiles.map(exportsOf))).flat().map(([name]) => name);
    expect(names).toEqual(expect.arrayContaining(Object.keys(reachedOtherwise)));
    for (const way of Object.values(reachedOtherwise)) {
      const [type = '', method = ''] = way.split('.');
      expect(method in (voltstream as unknown as Record<string, { readonly prototype: object }>)[type]!.prototype, way).toBe(true);
    }
  });

  it('describes windows by functions of their own', () => {
    expect([voltstream.tumbling, voltstream.hopping, voltstream.sliding].every((window) => typeof window === 'function')).toBe(true);
  });
});
