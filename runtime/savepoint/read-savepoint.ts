import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import type { Duplex } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { VoltstreamError } from '../../errors.ts';
import type { Cell } from '../../state/state-store.ts';
import { framesOf, invalid, parseJson } from './frames.ts';
import type { SavepointEnd, SavepointHeader, SavepointTask } from './frames.ts';

/** What a savepoint holds, in its order. */
export type SavepointPart =
  | { readonly kind: 'header'; readonly header: SavepointHeader }
  | { readonly kind: 'task'; readonly task: SavepointTask }
  | { readonly kind: 'cells'; readonly task: string; readonly cells: readonly Cell[] }
  /** Everything before it is what the export wrote: the digest is right. */
  | { readonly kind: 'end'; readonly end: SavepointEnd };

/** Reads a savepoint from its beginning to its end; throws SAVEPOINT_INVALID at what is damaged, cut off or in a wrong place. */
export async function* readSavepoint(file: string): AsyncGenerator<SavepointPart> {
  let header: SavepointHeader | null = null;
  let task: SavepointTask | null = null;
  let store: string | null = null;
  let cells = 0;
  const wrong = (type: string): VoltstreamError => invalid(file, 'a savepoint is damaged', 'header, tasks with stores and cells, end', `a frame ${type}`);
  for await (const { type, content } of framesOf(await bytesOf(file), file)) {
    if ((type === 'H') !== (header === null)) throw wrong(type);
    switch (type) {
      case 'H':
        header = parseJson<SavepointHeader>(content, file);
        yield { kind: 'header', header };
        break;
      case 'T':
        if (task !== null) throw wrong(type);
        task = parseJson<SavepointTask>(content, file);
        store = null;
        yield { kind: 'task', task };
        break;
      case 'S':
        store = content.toString();
        break;
      case 'C': {
        if (task === null || store === null) throw wrong(type);
        const found = cellsOf(store, content, file);
        cells += found.length;
        yield { kind: 'cells', task: task.task, cells: found };
        break;
      }
      case 'E':
        if (task === null) throw wrong(type);
        task = null;
        break;
      case 'Z': {
        const end = parseJson<SavepointEnd>(content, file);
        if (task !== null || end.cells !== cells) throw wrong(type);
        yield { kind: 'end', end };
      }
    }
  }
}

async function bytesOf(file: string): Promise<AsyncIterable<Buffer>> {
  const decompress = await decompressorOf(file);
  pipeline(createReadStream(file), decompress, () => undefined);   // The reader of the last one sees every error.
  return asInvalid(decompress, file);
}

async function* asInvalid(stream: Duplex, file: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    throw new VoltstreamError('SAVEPOINT_INVALID', 'a savepoint cannot be decompressed to its end', { where: file, got: String(error), cause: error });
  }
}

async function decompressorOf(file: string): Promise<Duplex> {
  const handle = await open(file).catch((error: unknown) => {
    throw new VoltstreamError('SAVEPOINT_INVALID', 'there is no such file, or it cannot be read', { where: file, got: String(error), cause: error });
  });
  try {
    const first = Buffer.alloc(4);
    await handle.read(first, 0, 4, 0);
    const magic = first.toString('hex');
    if (magic === '28b52ffd') return createZstdDecompress();
    if (magic.startsWith('1f8b')) return createGunzip();
    throw invalid(file, 'a file is no savepoint', 'gzip or zstd', magic);
  } finally {
    await handle.close();
  }
}

function cellsOf(store: string, content: Buffer, file: string): readonly Cell[] {
  const cells: Cell[] = [];
  for (let at = 0; at < content.length;) {
    const keyAt = at + 8;
    const valueAt = keyAt <= content.length ? keyAt + content.readUInt32BE(at) : Number.POSITIVE_INFINITY;
    const end = valueAt <= content.length ? valueAt + content.readUInt32BE(at + 4) : Number.POSITIVE_INFINITY;
    if (end > content.length) throw invalid(file, 'a savepoint is damaged', 'a whole cell', `${content.length - at} bytes`);
    cells.push({ store, key: content.subarray(keyAt, valueAt), value: content.subarray(valueAt, end) });
    at = end;
  }
  return cells;
}
