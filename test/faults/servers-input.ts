import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { ingestSessionLog } from '../../charging/ingest/ingest-session-log.ts';
import { dundeeFiles } from '../../charging/session-log/dundee-files.ts';
import { dundeeMapping } from '../../charging/session-log/dundee.mapping.ts';
import { expandSessionLog } from '../../charging/session-log/expand.ts';
import { readSessionLogs } from '../../charging/session-log/read-session-log.ts';
import type { Log, LogProducer } from '../../runtime/log/log.ts';
import type { SchemaRegistry } from '../../schemas/codec.ts';

/** Dundee's session logs: all of them, or the first rows of one as a file of their own. */
export async function inputFiles(rowsMax: number | null, folder: string): Promise<readonly string[]> {
  const files = dundeeFiles();
  if (rowsMax === null) return files;
  const path = join(folder, 'slice.csv');
  const slice = createWriteStream(path);
  let lines = 0;
  for await (const line of createInterface(createReadStream(files[0] ?? '').pipe(createGunzip()))) {
    slice.write(`${line}\n`);
    if (++lines > rowsMax) break;
  }
  await new Promise<void>((done) => slice.end(done));
  return [path];
}

/** Number of events that the files become. */
export async function countEvents(files: readonly string[]): Promise<number> {
  const rows = (await Array.fromAsync(readSessionLogs([...files], dundeeMapping))).filter((row) => row.kind === 'row');
  let events = 0;
  for (const _ of expandSessionLog(rows, dundeeMapping)) events++;
  return events;
}

/** So that a share of the events takes a second or two to come in. */
const recordsAtOnce = 500;
const pauseMs = 50;

/** Ingestion that a fault run lets through little by little, so that there is work at every fault. */
export class Tap {
  #allowed = 0;
  #wake: (() => void) | null = null;
  appended = 0;

  /** Lets so many further records through; whole appends. */
  allow(records: number): void {
    this.#allowed += records;
    this.#wake?.();
  }

  async ingest(files: readonly string[], log: Log, registry: SchemaRegistry): Promise<{ readonly events: number; readonly rows: number }> {
    const producer = await log.producer();
    try {
      return await ingestSessionLog({ files: [...files], mapping: dundeeMapping, producer: this.#gated(producer), registry, nowMs: () => 0 });
    } finally {
      await producer.close();
    }
  }

  #gated(producer: LogProducer): LogProducer {
    return {
      append: async (records, mark) => {
        while (this.#allowed <= 0) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
        this.#allowed -= records.length;
        for (let from = 0; from < records.length; from += recordsAtOnce) {
          const some = records.slice(from, from + recordsAtOnce);
          await producer.append(some, from + some.length < records.length ? undefined : mark);
          this.appended += some.length;
          await sleep(this.#allowed === Number.POSITIVE_INFINITY ? 0 : pauseMs);
        }
      },
      mark: (writer) => producer.mark(writer),
      close: () => producer.close(),
    };
  }
}
