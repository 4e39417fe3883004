import { describe, expect, it } from 'vitest';
import { KafkaLog } from './kafka-log.ts';

const address = process.env['VOLTSTREAM_TEST_KAFKA'];
if (address === undefined) console.warn('Kafka tests are left out: set VOLTSTREAM_TEST_KAFKA=host:port (`node test/services/index.ts up kafka` starts one)');

describe.skipIf(address === undefined)('with Kafka', () => {
  it('deletes topics and groups of an application, and no others', async () => {
    const name = `removal-${Date.now().toString(36)}`;
    const log = new KafkaLog({ brokers: [address!], application: name });
    await log.open();
    await log.createTopics([`${name}.one`, `${name}.two`, `kept-${name}`].map((topic) => ({ topic, partitions: 2 })));
    const producer = await log.producer();
    await producer.append([{ topic: `${name}.one`, key: null, value: Buffer.from('a'), timestampMs: 1 }], { writer: 'w', position: '7' });
    expect(await producer.mark('w')).toBe('7');
    await producer.close();
    const neighbour = new KafkaLog({ brokers: [address!], application: `${name}-other` });
    const other = await neighbour.producer();
    await other.append([{ topic: `kept-${name}`, key: null, value: Buffer.from('a'), timestampMs: 1 }], { writer: 'w', position: '8' });
    await log.removeAll({ topicPrefix: `${name}.`, application: name });
    await expect.poll(async () => Promise.all([log.partitionCount(`${name}.one`), log.partitionCount(`${name}.two`)]), { timeout: 20_000 }).toEqual([null, null]);
    expect(await log.partitionCount(`kept-${name}`)).toBe(2);
    expect(await (await log.producer()).mark('w')).toBe(null);
    expect(await other.mark('w')).toBe('8');
    await other.close();
    await neighbour.close();
    await log.removeAll({ topicPrefix: `${name}.`, application: name });
    await log.removeAll({ topicPrefix: `kept-${name}`, application: name });
    await expect(log.removeAll({ topicPrefix: '', application: name })).rejects.toThrow('nobody deletes all');
    await log.close();
  });
});
