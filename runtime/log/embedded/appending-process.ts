/**
 * A process of its own that appends until it is killed, for crash tests: `node appending-process.ts FOLDER TOPIC APPENDS
 * RECORDS`. Each append has so many records on two partitions and the mark "n appends"; it goes on behind its last mark. Writes a
 * line `mark n` after each append, `full n` and then tries again when there is no room, and `done` at the end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { VoltstreamError } from '../../../errors.ts';
import type { OutboundRecord } from '../log.ts';
import { EmbeddedLog } from './embedded-log.ts';

const [folder = '', topic = '', appends = '0', recordsEach = '0'] = process.argv.slice(2);
const log = new EmbeddedLog({ folder });
await log.open();
const producer = await log.producer();
const value = new Uint8Array(1_000);
for (let done = Number(await producer.mark('appending')); done < Number(appends);) {
  const records = Array.from({ length: Number(recordsEach) }, (_, index): OutboundRecord => ({
    topic, partition: index % 2, key: Buffer.from(`${done}/${index}`), value, timestampMs: done,
  }));
  try {
    await producer.append(records, { writer: 'appending', position: String(done + 1) });
    done += 1;
    process.stdout.write(`mark ${done}\n`);
  } catch (error) {
    if (!(error instanceof VoltstreamError) || error.code !== 'DISK_FULL') throw error;
    process.stdout.write(`full ${done}\n`);
    await sleep(50);
  }
}
process.stdout.write('done\n');
await log.close();
