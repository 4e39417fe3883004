import { describe, expect, it } from 'vitest';
import { logContract } from '../log-contract.ts';
import { KafkaLog } from './kafka-log.ts';

const address = process.env['VOLTSTREAM_TEST_KAFKA'];
if (address === undefined) {
  console.warn('Kafka tests are left out: set VOLTSTREAM_TEST_KAFKA=host:port (`node test/services/index.ts up kafka` starts one)');
}

describe.skipIf(address === undefined)('with Kafka', () => {
  logContract('kafka', async () => {
    const application = `contract-${Date.now().toString(36)}`;
    return {
      make: () => new KafkaLog({ brokers: [address!], application, heartbeatMs: 300, sessionTimeoutMs: 6_000 }),
      dispose: async () => undefined,
      groups: true,
      valueBytesMax: 900_000,
    };
  });
});

it('says LOG_UNAVAILABLE when nobody answers', async () => {
  const log = new KafkaLog({ brokers: ['127.0.0.1:1'], application: 'nobody' });
  await expect(log.open()).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
});
