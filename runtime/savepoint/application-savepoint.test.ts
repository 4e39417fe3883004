import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { LmdbStateStore } from '../../state/lmdb-state-store.ts';
import { committedState } from '../queries/committed-state.ts';
import { countingTopics, countingTopology } from '../worker/testing/counting-topology.ts';
import { append, processOf, ran, textsIn, worldOf, type World } from '../worker/testing/running.ts';
import { exportSavepoint } from './export-savepoint.ts';
import { importSavepoint } from './import-savepoint.ts';

const folder = mkdtempSync(join(tmpdir(), 'voltstream-application-savepoint-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

const letters = ['a', 'b', 'c', 'd'];
const numbered = (...numbers: readonly number[]): string[] => letters.flatMap((letter) => numbers.map((number) => `${letter}${number}`));
const outOf = async (world: World): Promise<string[]> => (await textsIn(world, 'out')).flat().sort();

it('takes an application from one state store into another, and an older savepoint back in time, with every record once', async () => {
  const world = await worldOf(folder, countingTopics);
  const file = join(folder, 'state.savepoint');
  await append(world, 'in', numbered(1));
  const first = await ran(world, countingTopology());
  await exportSavepoint({ store: world.store, application: 'voltstream', file });   // while it runs
  await append(world, 'in', numbered(2), 100);
  await first.drained();
  await first.application.stop();
  expect(await outOf(world)).toEqual(numbered(1, 2));

  const store = new LmdbStateStore({ path: join(folder, 'state') });
  await store.open();
  await importSavepoint({ file, store, application: 'voltstream', topology: countingTopology(), log: world.log });
  expect(await committedState(countingTopology(), store).keyValue<string, number>('counted').get('a')).toBe(1);
  const second = processOf({ ...world, store }, countingTopology());
  await second.application.start();
  await second.drained();
  await append(world, 'in', numbered(3), 200);
  await second.drained();
  await second.application.stop();
  expect(await outOf(world)).toEqual(numbered(1, 2, 3));   // what was made again was skipped by its ordinal
  expect([...world.warehouse.textsOf('raw')].sort()).toEqual(numbered(1, 2, 3));
  expect(new Set(world.warehouse.textsOf('counts'))).toEqual(new Set(numbered(1, 2, 3)));
  const groups = (await textsIn(world, 'groups')).flat();
  expect(groups.filter((text) => text === 'low9').length).toBe(1);
  expect(await committedState(countingTopology(), store).keyValue<string, number>('counted').get('a')).toBe(3);
  await store.close();
}, 30_000);
