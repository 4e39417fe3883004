import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Session } from 'chdb';
import type { StreamChunk } from 'chdb';
import type { StreamFormat } from '../warehouse.ts';
import { streamSettings } from './client-statements.ts';
import { quoteText } from './statements.ts';

/** Answers under way at the same time; each holds some blocks of 16,384 rows in the engine. */
const streamsMax = 2;
const pieceBytes = 1_048_576;

/**
 * Settings of a connection that gives answers piece by piece; a piece is a few megabytes of wide rows. Half of the engine's memory at most: what
 * is taken away must not hold up what comes in (two million sessions with all their columns took less than 60 MB as text).
 */
const settings = [
  ...Object.entries(streamSettings).map(([name, value]) => `${name} = ${typeof value === 'string' ? quoteText(value) : value}`), 'max_block_size = 16384', 'max_threads = 2', 'max_memory_usage = 250000000',
  'output_format_parquet_row_group_size = 100000', 'output_format_parquet_row_group_size_bytes = 33554432', 'output_format_parquet_parallel_encoding = 0',
];

interface Answer {
  /** The next piece; null: that was all. */
  next(): Promise<Uint8Array | null>;
  close(): Promise<void>;
}

export interface ChdbStreamsOptions {
  readonly folder: string;
  /** Where a file waits to be read. */
  readonly spoolFolder: string;
  /** Says that something is in the engine now; the function given back says that it has left. */
  readonly enter: () => () => void;
}

/**
 * Answers that are taken piece by piece, in the thread in which chDB lives. The reader asks for each piece, so that a slow one holds the
 * engine back instead of filling memory. Each has a connection of its own and keeps no lane from other statements.
 */
export class ChdbStreams {
  readonly #options: ChdbStreamsOptions;
  readonly #answers = new Map<number, Answer>();
  #opening = 0;

  constructor(options: ChdbStreamsOptions) {
    this.#options = options;
  }

  async open(id: number, sql: string, format: StreamFormat): Promise<void> {
    if (this.#answers.size + this.#opening >= streamsMax) throw new Error(`${streamsMax} answers are being taken piece by piece already`);
    const leave = this.#options.enter();
    const session = new Session(this.#options.folder);
    this.#opening++;
    try {
      for (const setting of settings) session.query(`SET ${setting}`);
      const answer = format === 'Parquet' ? await spooled(session, sql, join(this.#options.spoolFolder, `${id}.parquet`)) : streamed(session, sql, format);
      this.#answers.set(id, { ...answer, close: () => answer.close().finally(leave) });
    } catch (error) {
      session.close();
      leave();
      throw error;
    } finally {
      this.#opening--;
    }
  }

  async next(id: number): Promise<Uint8Array | null> {
    return (await this.#answers.get(id)?.next()) ?? null;
  }

  /** Asked while a piece is being made, it waits for it: the engine is not left from under it. */
  async close(id: number): Promise<void> {
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    await answer?.close();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#answers.keys()].map((id) => this.close(id)));
  }
}

function streamed(session: Session, sql: string, format: StreamFormat): Answer {
  session.query('SET readonly = 2');
  const stream = session.queryStream(sql, { format });
  const chunks: AsyncIterator<StreamChunk> = stream[Symbol.asyncIterator]();
  let under: Promise<unknown> = Promise.resolve();
  return {
    next: () => {
      const next = chunks.next();
      under = next.catch(() => 'told by next');
      return next.then(({ done, value }) => (done === true ? null : (value as StreamChunk).raw()));
    },
    close: async () => {
      await under;
      stream.cancel();
      session.close();
    },
  };
}

/** The engine gives each piece of a stream the form of a whole file: of Parquet, which ends with a table of contents, one file is written first. */
async function spooled(session: Session, sql: string, path: string): Promise<Answer> {
  let file: FileHandle | null = null;
  const close = async (): Promise<void> => {
    await file?.close();
    await rm(path, { force: true });
    session.close();
  };
  try {
    await session.queryAsync(`INSERT INTO FUNCTION file(${quoteText(path)}, 'Parquet')\n${sql}`);
    file = await open(path);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  const written = file;
  return {
    next: async () => {
      const piece = new Uint8Array(pieceBytes);
      const { bytesRead } = await written.read(piece, 0, pieceBytes);
      return bytesRead === 0 ? null : piece.subarray(0, bytesRead);
    },
    close,
  };
}
