import { createHash, type Hash } from 'node:crypto';
import { VoltstreamError } from '../../errors.ts';

/**
 * The form of a savepoint, inside of its compression: a line that names the format, then frames of type (1 byte), length (4 bytes,
 * big endian) and content. `H` header and `T` task are JSON; `S` names the store of the cells that follow; `C` are cells: key and value,
 * each with its length in front (4 bytes); `E` ends a task; `Z` ends the savepoint with the SHA-256 of every byte before it.
 */
export const formatLine = Buffer.from('voltstream savepoint 1\n');
const headBytes = 5;
/** No frame is as large: a length beyond it is damage. */
const frameBytesMax = 2 ** 30;

export type FrameType = 'H' | 'T' | 'S' | 'C' | 'E' | 'Z';

export interface Frame {
  readonly type: FrameType;
  readonly content: Buffer;
}

export interface SavepointHeader {
  readonly application: string;
  /** Tasks in the order in which they come. */
  readonly tasks: readonly string[];
}

/** A task and the commit that its cells stand at. */
export interface SavepointTask {
  readonly task: string;
  readonly epoch: number;
  readonly sequence: number;
}

export interface SavepointEnd {
  readonly tasks: number;
  readonly cells: number;
  readonly sha256: string;
}

/** Makes frames, and the digest of all of them. */
export class FrameWriter {
  readonly #hash: Hash = createHash('sha256');

  begin(): Buffer {
    this.#hash.update(formatLine);
    return formatLine;
  }

  frame(type: FrameType, content: Uint8Array): Buffer {
    const frame = Buffer.allocUnsafe(headBytes + content.length);
    frame.write(type, 0, 'latin1');
    frame.writeUInt32BE(content.length, 1);
    frame.set(content, headBytes);
    this.#hash.update(frame);
    return frame;
  }

  json(type: FrameType, content: unknown): Buffer {
    return this.frame(type, Buffer.from(JSON.stringify(content)));
  }

  end(tasks: number, cells: number): Buffer {
    return this.json('Z', { tasks, cells, sha256: this.#hash.copy().digest('hex') } satisfies SavepointEnd);
  }
}

/** The frames of a savepoint's bytes, up to its end, whose digest is compared. Throws SAVEPOINT_INVALID. */
export async function* framesOf(bytes: AsyncIterable<Buffer>, where: string): AsyncGenerator<Frame> {
  const input = new Input(bytes);
  const hash = createHash('sha256');
  const line = await input.take(formatLine.length);
  if (line === null || !line.equals(formatLine)) throw invalid(where, 'a file is no savepoint, or of another format', formatLine.toString().trim(), String(line ?? '').slice(0, 40));
  hash.update(line);
  for (;;) {
    const head = await input.take(headBytes);
    if (head === null) throw invalid(where, 'a savepoint is cut off', 'its end', 'the end of the file');
    const length = head.readUInt32BE(1);
    const type = head.toString('latin1', 0, 1);
    if (!'HTSCEZ'.includes(type) || length > frameBytesMax) throw invalid(where, 'a savepoint is damaged', 'a frame', head.toString('hex'));
    const content = await input.take(length);
    if (content === null) throw invalid(where, 'a savepoint is cut off', `${length} bytes`, 'the end of the file');
    if (type === 'Z') {
      const { sha256 } = parseJson<SavepointEnd>(content, where);
      const digest = hash.digest('hex');
      if (sha256 !== digest) throw invalid(where, 'a savepoint is damaged', `SHA-256 ${sha256}`, digest);
      yield { type, content };
      if (await input.take(1) !== null) throw invalid(where, 'there are bytes behind a savepoint', 'its end', 'more');
      return;
    }
    hash.update(head).update(content);
    yield { type: type as FrameType, content };
  }
}

export function parseJson<T>(content: Buffer, where: string): T {
  try {
    return JSON.parse(content.toString()) as T;
  } catch (error) {
    throw invalid(where, 'a savepoint is damaged', 'JSON', String(error));
  }
}

export function invalid(where: string, what: string, wanted: string, got: string): VoltstreamError {
  return new VoltstreamError('SAVEPOINT_INVALID', what, { where, wanted, got });
}

/** Takes bytes by number from chunks of any size, each copied at most once. */
class Input {
  readonly #source: AsyncIterator<Buffer>;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Exactly so many bytes, or null when there are not so many left. */
  async take(length: number): Promise<Buffer | null> {
    while (this.#bytes < length) {
      const next = await this.#source.next();
      if (next.done === true) return null;
      this.#chunks.push(next.value);
      this.#bytes += next.value.length;
    }
    const all = this.#chunks.length === 1 ? this.#chunks[0] as Buffer : Buffer.concat(this.#chunks);
    this.#chunks = [all.subarray(length)];
    this.#bytes -= length;
    return all.subarray(0, length);
  }
}
