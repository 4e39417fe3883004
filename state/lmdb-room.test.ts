import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { assertRoom, freeBytesOf } from './lmdb-room.ts';

it('counts what is to be written twice, beside what is to be spared', () => {
  const path = tmpdir();
  // Others use the disk meanwhile, hence a tenth of it on either side.
  const free = freeBytesOf(path);
  expect(() => assertRoom(path, free * 0.2, free * 0.5)).not.toThrow();
  expect(() => assertRoom(path, free * 0.3, free * 0.5)).toThrow(/DISK_FULL(.|\n)*where: (.|\n)*wanted: [\d.]+ MB free(.|\n)*got: [\d.]+ MB/);
});
