import { describe, expect, it } from 'vitest';
import { MemoryStateStore } from '../state/memory-state-store.ts';
import type { StoreHealth } from '../state/state-store.ts';
import { createLogger } from './logger.ts';
import { EngineMetrics } from './metrics.ts';
import { watchStore } from './store-health.ts';

class StoreWithServer extends MemoryStateStore {
  said: StoreHealth = { usedBytes: 5_000, bytesMax: null, remarks: [{ level: 'info', text: 'up to 1 s of commits' }, { level: 'warn', text: 'no replicas' }] };
  health(): Promise<StoreHealth> {
    return Promise.resolve(this.said);
  }
}

async function watched(store: MemoryStateStore): Promise<{ readonly lines: readonly string[]; readonly metrics: string }> {
  const lines: string[] = [];
  const ending = new AbortController();
  const metrics = new EngineMetrics({ nodeMetrics: false });
  const logger = createLogger({ level: 'info', destination: { write: (line: string) => void lines.push(JSON.parse(line).msg as string) } });
  await watchStore(store, metrics, logger, ending.signal);
  ending.abort();
  return { lines, metrics: await metrics.text() };
}

describe('what a state store says of its server', () => {
  it('is told once, and its memory is in the metrics', async () => {
    const store = new StoreWithServer();
    const { lines, metrics } = await watched(store);
    expect(lines).toEqual(['up to 1 s of commits', 'no replicas']);
    expect(metrics).toMatch(/^voltstream_state_server_used_bytes 5000$/m);
    expect(metrics).not.toMatch(/^voltstream_state_server_max_bytes \d/m);
    store.said = { ...store.said, bytesMax: 9_000 };
    expect((await watched(store)).metrics).toMatch(/^voltstream_state_server_max_bytes 9000$/m);
  });

  it('is nothing where there is no server, or it may not be asked', async () => {
    expect(await watched(new MemoryStateStore())).toMatchObject({ lines: [], metrics: expect.not.stringMatching(/^voltstream_state_server_\w+ \d/m) });
    const store = new StoreWithServer();
    store.said = { usedBytes: null, bytesMax: null, remarks: [] };
    expect((await watched(store)).metrics).not.toMatch(/^voltstream_state_server_\w+ \d/m);
  });
});
