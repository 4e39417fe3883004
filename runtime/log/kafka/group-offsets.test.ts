import { KafkaJSProtocolError } from 'kafkajs';
import { expect, it } from 'vitest';
import { fetchGroupOffsets } from './group-offsets.ts';

const failure = (type: string): Error => new KafkaJSProtocolError(Object.assign(new Error(type), { type, code: 16, retriable: true }));

it('waits for a coordinator that is only just coming up', async () => {
  const failures = [failure('GROUP_COORDINATOR_NOT_AVAILABLE'), failure('NOT_COORDINATOR_FOR_GROUP')];
  const fetchOffsets = async (): Promise<[]> => {
    const next = failures.shift();
    if (next !== undefined) throw next;
    return [];
  };
  expect(await fetchGroupOffsets({ fetchOffsets }, { groupId: 'g' })).toEqual([]);
});

it('hands every other error on at once', async () => {
  const fetchOffsets = async (): Promise<never> => {
    throw failure('GROUP_AUTHORIZATION_FAILED');
  };
  await expect(fetchGroupOffsets({ fetchOffsets }, { groupId: 'g' })).rejects.toThrow('GROUP_AUTHORIZATION_FAILED');
});
