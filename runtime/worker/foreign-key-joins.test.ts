import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import { logTopic } from '../../topology/sink.ts';
import { Topology } from '../../topology/topology.ts';
import type { Fault } from './testing/faulty-ports.ts';
import { append, processOf, worldOf, type Process, type World } from './testing/running.ts';

const folder = mkdtempSync(join(tmpdir(), 'foreign-key-joins-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

const words = { key: utf8, value: utf8 };

/** Orders `<order><customer><n>` with customers `<customer><n>`: two sub-topologies that feed each other. */
function orders(): Topology {
  const topology = new Topology('shop');
  const customers = topology.table('customers', words);
  topology.table('orders', words)
    .leftForeignKeyJoin('joined', customers, (order) => order.charAt(1), (order, customer) => `${order}+${customer}`, {
      key: utf8, value: utf8, foreignKey: utf8, foreignValue: utf8, result: utf8,
    })
    .toStream().to(logTopic<string, string | null>('out', { key: utf8, value: utf8 as never }));
  return topology;
}

const firstHalf = { orders: ['ax1', 'bx1', 'cy1', 'dz1', 'ay2'], customers: ['x1', 'y1', 'x2'] };
const secondHalf = { orders: ['bz3', 'cx3', 'ex3', 'ay4'], customers: ['z3', 'y3', 'x4', 'y5'] };
const expected = ['ay4+y5', 'bz3+z3', 'cx3+x4', 'dz1+z3', 'ex3+x4'];

async function appendAll(world: World, half: typeof firstHalf, timestampMs: number): Promise<void> {
  await append(world, 'orders', half.orders, timestampMs);
  await append(world, 'customers', half.customers, timestampMs);
}

/** The last value of each key. */
async function tableOf(world: World): Promise<readonly string[]> {
  const rows = new Map<string, string>();
  for (let partition = 0; partition < (await world.log.partitionCount('out') ?? 0); partition += 1) {
    const { start, end } = await world.log.bounds({ topic: 'out', partition });
    for await (const batch of world.log.read({ topic: 'out', partition }, start, end)) {
      for (const { key, value } of batch.records) rows.set(Buffer.from(key ?? []).toString(), Buffer.from(value ?? []).toString());
    }
  }
  return [...rows.values()].sort();
}

async function run(partitions: number, faultAt = 0, fault?: Fault, ofCustomers = partitions): Promise<{ readonly rows: readonly string[]; readonly calls: number }> {
  const world = await worldOf(folder, ['orders', 'customers', 'out'].map((topic) => ({ topic, partitions: topic === 'customers' ? ofCustomers : partitions })));
  await appendAll(world, firstHalf, 0);
  let rest: typeof firstHalf | null = secondHalf;
  const work = async (running: Process): Promise<void> => {
    await running.application.start();
    if (rest !== null) await running.drained();
    if (rest !== null) await appendAll(world, rest, 100);
    rest = null;
    await running.drained();
    await running.application.stop();
  };
  const first = processOf(world, orders(), { partitions, faultAt, ...(fault === undefined ? {} : { fault }) });
  await Promise.race([work(first), first.ports.died]);
  if (first.ports.dead) await work(processOf(world, orders(), { partitions }));
  return { rows: await tableOf(world), calls: first.ports.calls };
}

it.each([1, 3])('an application joins by foreign keys across its tasks and comes to an end, with %i partitions', async (partitions) => {
  expect((await run(partitions)).rows).toEqual(expected);
});

it('also when both tables have different numbers of partitions', async () => {
  expect((await run(3, 0, undefined, 2)).rows).toEqual(expected);
});

it.each(['die-before', 'die-after', 'fail-before'] as const)('and comes to the same whatever call of a store or sink meets a fault: %s', async (fault) => {
  const { calls } = await run(2);
  const failures: unknown[] = [];
  const sweep = async (numbers: Iterator<number, undefined>): Promise<void> => {
    for (let next = numbers.next(); next.done !== true; next = numbers.next()) {
      const rows = await run(2, next.value, fault).then((result) => result.rows, (error: unknown) => error);
      if (JSON.stringify(rows) !== JSON.stringify(expected)) failures.push({ n: next.value, rows });
    }
  };
  const numbers = Array.from({ length: calls }, (_unused, index) => index + 1)[Symbol.iterator]() as Iterator<number, undefined>;
  await Promise.all(Array.from({ length: 8 }, () => sweep(numbers)));
  expect(failures).toEqual([]);
}, 60_000);
