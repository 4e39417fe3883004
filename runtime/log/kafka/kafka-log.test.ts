import { describe, expect, it } from 'vitest';
import type { LogHarness } from '../contract/contract-log.ts';
import { groupContract } from '../contract/group-contract.ts';
import { logContract } from '../log-contract.ts';
import { KafkaLog } from './kafka-log.ts';

const address = process.env['VOLTSTREAM_TEST_KAFKA'];
if (address === undefined) {
  console.warn('Kafka tests are left out: set VOLTSTREAM_TEST_KAFKA=host:port (`node test/services/index.ts up kafka` starts one)');
}
const sessionTimeoutMs = 2_000;

async function start(): Promise<LogHarness> {
  const application = `contract-${Date.now().toString(36)}`;
  return {
    make: () => new KafkaLog({ brokers: [address!], application, sessionTimeoutMs }),
    dispose: async () => undefined,
    valueBytesMax: 900_000,
  };
}

describe.skipIf(address === undefined)('with Kafka', () => {
  logContract('kafka', start);
  groupContract('kafka', sessionTimeoutMs, start);
});

it('says LOG_UNAVAILABLE when nobody answers', async () => {
  const log = new KafkaLog({ brokers: ['127.0.0.1:1'], application: 'nobody' });
  await expect(log.open()).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
});
