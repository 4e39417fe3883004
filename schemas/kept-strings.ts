/** 64 KB for a field whose strings are kept. With as many keys as slots every second one would find its slot taken by another. */
const slots = 8_192;
/** Longer strings are rarely repeated, and comparing them costs more than making them. */
const keptBytesMax = 32;
/** After this many reads it is seen whether keeping pays: at least one in four must have been there. */
const trialReads = 512;
/** A field that does not repeat (an event id) is read plainly for so long before it is tried again. */
const restReads = 65_536;

/** Strings of one field, or of the keys of one topic, that come again and again are handed out again: no call into C++, no new memory, quick to compare. */
export class KeptStrings {
  #kept: string[] | null = null;
  #reads = 0;
  #hits = 0;
  #rest = 0;

  /** The UTF-8 text between two places; U+FFFD stands for what is broken. */
  read(bytes: Buffer, from: number, to: number): string {
    const length = to - from;
    if (length === 0) return '';
    if (length > keptBytesMax) return sliced(bytes, from, to);
    if (this.#rest > 0) {
      this.#rest--;
      return sliced(bytes, from, to);
    }
    if (++this.#reads > trialReads) this.#judge();
    let hash = length;
    for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0;
    const slot = (hash ^ (hash >>> 15)) & (slots - 1);
    const kept = (this.#kept ??= Array.from({ length: slots }, () => ''));
    const found = kept[slot] as string;
    if (found.length === length && sameAscii(found, bytes, from)) {
      this.#hits++;
      return found;
    }
    const made = sliced(bytes, from, to);
    if (made.length === length) kept[slot] = made;
    return made;
  }

  #judge(): void {
    if (this.#hits * 4 < this.#reads) {
      this.#rest = restReads;
      this.#kept = null;
    }
    this.#reads = 0;
    this.#hits = 0;
  }
}

/** What `toString` calls after a good deal of looking at its arguments; the bounds are checked here already. */
function sliced(bytes: Buffer, from: number, to: number): string {
  return (bytes as Buffer & { utf8Slice(from: number, to: number): string }).utf8Slice(from, to);
}

/** A kept string with as many UTF-16 units as bytes is ASCII, or holds U+FFFD for a broken byte, which equals no byte. */
function sameAscii(kept: string, bytes: Buffer, from: number): boolean {
  for (let index = 0; index < kept.length; index++) {
    if (kept.charCodeAt(index) !== bytes[from + index]) return false;
  }
  return true;
}
