import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { batchHash } from './batch-hash.ts';
import { ChdbWarehouse } from './chdb-warehouse.ts';
import { checkTable } from './check-table.ts';
import type { SealedPiece } from './delivery.ts';
import { sealedPiece } from './sealed-piece.ts';
import { PieceDelivery } from './delivery.ts';
import { rowEncoder } from './row-binary.ts';
import { RowBuffer, writeRowVersion } from './row-buffer.ts';

/**
 * The process that `crash.test.ts` kills: delivers pieces one after the other and notes in a file which was acknowledged, as a
 * task's outbox does. Arguments: folder, number of pieces, rows of a piece.
 */
const [folder = '', pieces = '', rowsPerPiece = ''] = process.argv.slice(2);
const columns = { number: 'UInt32', text: 'String' };
const table = { database: 'voltstream', table: 'crash', columns };

function sealed(number: number): SealedPiece {
  const encode = rowEncoder<{ number: number; text: string }>(columns);
  const buffer = new RowBuffer();
  const first = number * Number(rowsPerPiece);
  const rows = Array.from({ length: Number(rowsPerPiece) }, (_, index) => {
    encode({ number: first + index, text: `row ${first + index}\n\n` }, buffer);
    writeRowVersion(buffer, 1, first + index);
    return buffer.take();
  });
  const identity = { application: 'crash', run: 1, table: 'voltstream.crash', task: 'c_0', partition: '' };
  const hash = batchHash({ ...identity, firstOrdinal: first, lastOrdinal: first + rows.length - 1 }, rows);
  return sealedPiece('', rows, hash);
}

const warehouse = new ChdbWarehouse({ folder: join(folder, 'engine') });
await warehouse.open();
await warehouse.command('CREATE DATABASE IF NOT EXISTS voltstream ENGINE = Atomic');
await warehouse.command(
  'CREATE TABLE IF NOT EXISTS voltstream.crash (number UInt32, text String, _version UInt64, _batch FixedString(16)) ' +
    'ENGINE = MergeTree ORDER BY number SETTINGS non_replicated_deduplication_window = 1000',
);
const { replicated } = await checkTable(warehouse, table);
const delivery = new PieceDelivery({ warehouse, table, replicated, lookAgainMs: 20 });
const mark = join(folder, 'acknowledged');
process.stdout.write('ready\n');
for (let number = Number(readFileSync(mark, 'utf8')), restored = true; number < Number(pieces); number++, restored = false) {
  await delivery.deliver([sealed(number)], { mayBePresent: restored });
  writeFileSync(mark, String(number + 1));
}
await warehouse.close();
process.stdout.write('done\n');
