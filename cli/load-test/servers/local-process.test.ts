import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { processAt, useOf } from './local-process.ts';

it('finds the process that listens at a port of this machine, and what it has used; elsewhere nobody knows', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const isKnown = existsSync('/proc/self/stat');
  expect(await processAt(`127.0.0.1:${port}`, 1)).toBe(isKnown ? process.pid : null);
  expect(await processAt('redis://:secret@localhost', port)).toBe(isKnown ? process.pid : null);
  expect(await processAt(`http://example.invalid:${port}`, 1)).toBeNull();
  const use = await useOf(process.pid);
  if (isKnown) expect([use?.cpuSeconds ?? 0, use?.memoryMb ?? 0].every((value) => value > 0)).toBe(true);
  else expect(use).toBeNull();
  server.close();
  await once(server, 'close');
  expect(await processAt(`127.0.0.1:${port}`, 1)).toBeNull();
});
