import { consumerContract } from './contract/consumer-contract.ts';
import type { LogHarness } from './contract/contract-log.ts';
import { producerContract } from './contract/producer-contract.ts';
import { recordContract } from './contract/record-contract.ts';

/** One suite for every log: each `it` is a law of the port in `log.ts`. `start` is called once for each of its parts. */
export function logContract(name: string, start: () => Promise<LogHarness>): void {
  recordContract(name, start);
  consumerContract(name, start);
  producerContract(name, start);
}
