import { expect, it } from 'vitest';
import { chargingTopology } from '../../charging/topology.ts';

/**
 * The product's topology as it was last agreed on. A change here is a change of what operators of a running system see: names of
 * sub-topologies, steps and stores are names of state. Update with `npx vitest run test/golden -u`, and say why in the commit.
 */
it.each([['text', 'charging-topology.txt'], ['mermaid', 'charging-topology.mmd']] as const)(
  'describes the product as %s exactly as the golden file', async (format, file) => {
    await expect(chargingTopology().describe(format)).toMatchFileSnapshot(file);
  },
);
