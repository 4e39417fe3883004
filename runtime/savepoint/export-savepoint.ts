import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';
import type { Cell, StateStore } from '../../state/state-store.ts';
import { refuseHalfImport } from '../task/restore-checks.ts';
import { FrameWriter } from './frames.ts';

export type Compression = 'gzip' | 'zstd';

export interface SavepointProgress {
  /** `check`: the file is read; `clear`: what was there is deleted; `write`: cells go into the file or the store. */
  readonly phase: 'check' | 'clear' | 'write';
  readonly task: string;
  readonly cells: number;
  /** Null while it is not known. */
  readonly cellsTotal: number | null;
}

export interface SavepointSummary {
  readonly tasks: readonly string[];
  readonly cells: number;
}

export interface ExportOptions {
  /** Open; its owners go on meanwhile. */
  readonly store: StateStore;
  readonly application: string;
  readonly progress?: (progress: SavepointProgress) => void;
}

const chunkBytes = 262_144;

/**
 * A savepoint as bytes, compressed: of each task all cells (state, positions, ordinals, what waits for delivery) as one commit left
 * them. Tasks follow one another, each at a commit of its own; what one of them is ahead of another is brought into line by the
 * positions and marks that are part of it. Throws STATE_INCOMPLETE for half an import.
 */
export function savepointStream(options: ExportOptions, compression: Compression, done: (summary: SavepointSummary) => void = () => {}): Readable {
  const compress = compression === 'gzip' ? createGzip() : createZstdCompress();
  const source = Readable.from(savepointBytes(options, done), { objectMode: false });
  source.on('error', (error) => compress.destroy(error));
  return source.pipe(compress);
}

/** Writes a savepoint beside `file` and then in its place, so that under its name there is only a whole one. `.gz` is gzip, any other name zstd. */
export async function exportSavepoint(options: ExportOptions & { readonly file: string }): Promise<SavepointSummary> {
  let summary: SavepointSummary = { tasks: [], cells: 0 };
  await writeWhole(options.file, savepointStream(options, options.file.endsWith('.gz') ? 'gzip' : 'zstd', (done) => {
    summary = done;
  }));
  return summary;
}

/** Writes a stream into a file that appears under its name when all of it is on the disk. */
export async function writeWhole(file: string, stream: Readable, check: (partial: string) => Promise<void> = async () => {}): Promise<void> {
  const partial = `${file}.partial`;
  try {
    await pipeline(stream, createWriteStream(partial));
    await check(partial);
    const handle = await open(partial, 'r+');
    await handle.sync();
    await handle.close();
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function* savepointBytes(options: ExportOptions, done: (summary: SavepointSummary) => void): AsyncGenerator<Buffer> {
  const { store, application } = options;
  const tasks = (await store.tasks()).map(({ task }) => task).sort();
  const writer = new FrameWriter();
  yield writer.begin();
  yield writer.json('H', { application, tasks });
  let cells = 0;
  for (const task of tasks) {
    let begun = false;
    let storeName: string | null = null;
    for await (const page of store.snapshot(task)) {
      refuseHalfImport(task, [page.cells]);
      if (!begun) yield writer.json('T', { task, epoch: page.epoch, sequence: page.sequence });
      begun = true;
      for (const run of runsOf(page.cells)) {
        if (run[0]?.store !== storeName) {
          storeName = run[0]?.store ?? null;
          yield writer.frame('S', Buffer.from(storeName ?? ''));
        }
        yield writer.frame('C', cellBytes(run));
        cells += run.length;
        options.progress?.({ phase: 'write', task, cells, cellsTotal: null });
      }
    }
    if (begun) yield writer.json('E', { task });
  }
  yield writer.end(tasks.length, cells);
  done({ tasks, cells });
}

/** Cells of one store, up to some bytes at a time. */
function* runsOf(cells: readonly Cell[]): Generator<readonly Cell[]> {
  let run: Cell[] = [];
  let bytes = 0;
  for (const cell of cells) {
    if (run.length > 0 && (run[0]?.store !== cell.store || bytes >= chunkBytes)) {
      yield run;
      run = [];
      bytes = 0;
    }
    run.push(cell);
    bytes += cell.key.length + (cell.value?.length ?? 0);
  }
  if (run.length > 0) yield run;
}

function cellBytes(cells: readonly Cell[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const { key, value } of cells) {
    const lengths = Buffer.allocUnsafe(8);
    lengths.writeUInt32BE(key.length, 0);
    lengths.writeUInt32BE(value?.length ?? 0, 4);
    parts.push(lengths, key, value ?? new Uint8Array(0));
  }
  return Buffer.concat(parts);
}
