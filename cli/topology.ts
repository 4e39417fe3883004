import { chargingTopology } from '../charging/topology.ts';

export function topology(format: 'text' | 'mermaid'): void {
  process.stdout.write(chargingTopology().describe(format));
}
