import { expect, it } from 'vitest';
import { LargeLoads } from './large-loads.ts';

it('gives turns one at a time, in the order in which they were asked for', async () => {
  const loads = new LargeLoads();
  const order: string[] = [];
  const load = async (name: string): Promise<void> => {
    const leave = await loads.enter();
    order.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 1));
    order.push(`${name} ends`);
    leave();
    leave(); // once more makes no difference
  };
  await Promise.all(['a', 'b', 'c'].map(load));
  expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});
