import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Session } from 'chdb';
import type { ChdbQueryStream, StreamChunk } from 'chdb';
import type { StreamFormat } from '../warehouse.ts';
import { quoteText } from './statements.ts';

/** Answers under way at the same time; each holds some blocks of 16,384 rows in the engine. */
const streamsMax = 4;
const pieceBytes = 1_048_576;

/** Settings of a connection that gives answers piece by piece: numbers are numbers, and a piece is a few megabytes of wide rows. */
const settings = ['output_format_json_quote_64bit_integers = 0', 'max_block_size = 16384'];

interface Answer {
  /** The next piece; null: that was all. */
  next(): Promise<Uint8Array | null>;
  close(): Promise<void>;
}

/**
 * Answers that are taken piece by piece, in the thread in which chDB lives. The reader asks for each piece, so that a slow one holds the
 * engine back instead of filling memory. Each has a connection of its own and keeps no lane from other statements.
 */
export class ChdbStreams {
  readonly #folder: string;
  readonly #spoolFolder: string;
  readonly #guarded: <T>(task: () => Promise<T>) => Promise<T>;
  readonly #answers = new Map<number, Answer>();

  /** `guarded` counts a task as being in the engine. */
  constructor(folder: string, spoolFolder: string, guarded: <T>(task: () => Promise<T>) => Promise<T>) {
    this.#folder = folder;
    this.#spoolFolder = spoolFolder;
    this.#guarded = guarded;
  }

  async open(id: number, sql: string, format: StreamFormat): Promise<void> {
    if (this.#answers.size >= streamsMax) {
      throw new Error(`${streamsMax} answers are being taken piece by piece already`);
    }
    const session = new Session(this.#folder);
    try {
      for (const setting of settings) session.query(`SET ${setting}`);
      if (format === 'Parquet') {
        this.#answers.set(id, await this.#guarded(() => spooled(session, sql, join(this.#spoolFolder, `${id}.parquet`))));
      } else {
        session.query('SET readonly = 2');
        this.#answers.set(id, streamed(session, session.queryStream(sql, { format })));
      }
    } catch (error) {
      session.close();
      throw error;
    }
  }

  next(id: number): Promise<Uint8Array | null> {
    return this.#guarded(async () => (await this.#answers.get(id)?.next()) ?? null);
  }

  async close(id: number): Promise<void> {
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    await answer?.close();
  }

  async closeAll(): Promise<void> {
    for (const id of this.#answers.keys()) await this.close(id);
  }
}

function streamed(session: Session, stream: ChdbQueryStream): Answer {
  const chunks: AsyncIterator<StreamChunk> = stream[Symbol.asyncIterator]();
  return {
    next: async () => {
      const { done, value } = await chunks.next();
      return done === true ? null : value.raw();
    },
    close: async () => {
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
