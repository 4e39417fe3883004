/** A line of input as bytes. */
export interface RawLine {
  /** All bytes up to and with the end of the line: what a position counts. */
  readonly consumed: Uint8Array;
  /** Without the end of the line; of a line that is too long, only its beginning. */
  readonly content: Uint8Array;
  /** Null when the bytes are not UTF-8, or when the line is too long. */
  readonly text: string | null;
  readonly tooLong: boolean;
  /** False for the last line of an input that does not end with a line's end. */
  readonly ended: boolean;
  readonly bytesMax: number;
}

/** A record of the log may have 10 MB; a longer line is set aside rather than held. */
export const lineBytesMax = 10_000_000;

const decoder = new TextDecoder('utf-8', { fatal: true });
const NEW_LINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Splits bytes into lines at LF or CRLF. The last line may lack its end. Memory is bounded by `bytesMax` and one chunk. */
export async function* rawLines(input: AsyncIterable<Uint8Array>, bytesMax = lineBytesMax): AsyncGenerator<RawLine> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of input) {
    let from = 0;
    for (let end = chunk.indexOf(NEW_LINE); end >= 0; end = chunk.indexOf(NEW_LINE, from)) {
      parts.push(chunk.subarray(from, end + 1));
      yield lineOf(parts, bytesMax);
      parts = [];
      length = 0;
      from = end + 1;
    }
    if (from < chunk.length) {
      parts.push(chunk.subarray(from));
      length += chunk.length - from;
    }
    // A line without end is not collected without end: it is cut here, and each cut is set aside as a line of its own.
    if (length > bytesMax * 2) {
      yield { ...lineOf(parts, bytesMax), ended: true };
      parts = [];
      length = 0;
    }
  }
  if (parts.length > 0) yield lineOf(parts, bytesMax);
}

function lineOf(parts: readonly Uint8Array[], bytesMax: number): RawLine {
  const consumed = parts.length === 1 ? parts[0] as Uint8Array : Buffer.concat(parts);
  let end = consumed.length;
  const ended = consumed[end - 1] === NEW_LINE;
  if (consumed[end - 1] === NEW_LINE) end--;
  if (consumed[end - 1] === CARRIAGE_RETURN) end--;
  const content = consumed.subarray(0, end);
  const tooLong = content.length > bytesMax;
  return { consumed, content: tooLong ? content.subarray(0, bytesMax) : content, text: tooLong ? null : textOf(content), tooLong, ended, bytesMax };
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
