import { describe, expect, it } from 'vitest';
import { FileRegistry } from '../../schemas/file-registry.ts';
import { MemoryLog } from '../../runtime/log/memory-log.ts';
import { VoltstreamError } from '../../errors.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chargingTopics } from '../../charging/topics.ts';
import { eventsTopic } from '../../charging/topology.ts';
import type { LogProducer } from '../../runtime/log/log.ts';
import { InputFeed } from './servers-input.ts';

/** Takes each third append only in part, and says that it failed. */
class FailingLog extends MemoryLog {
  appends = 0;

  override async producer(): Promise<LogProducer> {
    const producer = await super.producer();
    return {
      append: async (records) => {
        if (++this.appends % 3 !== 0) return producer.append(records);
        await producer.append(records.slice(0, Math.floor(records.length / 2)));
        throw new VoltstreamError('LOG_UNAVAILABLE', 'planted');
      },
      mark: (writer) => producer.mark(writer),
      close: () => producer.close(),
    };
  }
}

async function fed(log: MemoryLog): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-feed-'));
  const registry = new FileRegistry({ folder });
  try {
    await log.open();
    await registry.open();
    await log.createTopics(chargingTopics(2));
    const feed = new InputFeed({ events: 7_000, log, registry, perSecond: Number.POSITIVE_INFINITY });
    await feed.prelude();
    await feed.run();
    const records: string[] = [];
    for (let partition = 0; partition < 2; partition++) {
      const { start, end } = await log.bounds({ topic: eventsTopic, partition });
      for await (const batch of log.read({ topic: eventsTopic, partition }, start, end)) {
        for (const record of batch.records) records.push(`${partition} ${record.offset} ${record.timestampMs} ${Buffer.from(record.value ?? []).toString('hex')}`);
      }
    }
    return records;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('InputFeed', () => {
  it('brings exactly the wanted records into the log, the same each time, though appends fail half way', async () => {
    const wanted = await fed(new MemoryLog({}));
    expect(wanted).toHaveLength(7_000);
    expect(await fed(new FailingLog({}))).toEqual(wanted);
  }, 60_000);
});
