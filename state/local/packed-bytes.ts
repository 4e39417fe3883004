import { assertInvariant } from '../../errors.ts';

/** Small enough that what outlives its neighbours holds little, large enough that a million values are few pieces. */
const pieceBytes = 65_536;
/** Places are counted in these, so that 16 GB can be told apart by a small integer. */
const grainBytes = 8;
const grainsPerPiece = pieceBytes / grainBytes;
/** Length, then note. */
const headBytes = 12;
/** Below this it is not worth while to pack anew. */
const wasteFromBytes = 16 * pieceBytes;

interface Piece {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** What is still there of it. */
  held: number;
}

/**
 * Byte strings, each with a number as its note, one behind the other in pieces of 64 KB: for the garbage collector a few objects,
 * however many they are. A piece goes when nothing is left in it; a store whose pieces are mostly holes (`isWasteful`) puts all it has into a new one.
 */
export class PackedBytes {
  readonly #pieces: (Piece | null)[] = [];
  readonly #free: number[] = [];
  #last = -1;
  #at = pieceBytes;
  #held = 0;
  #room = 0;

  /** Bytes in use, with what stands in front of each. */
  get heldBytes(): number {
    return this.#held;
  }

  /** Bytes of all pieces. */
  get roomBytes(): number {
    return this.#room;
  }

  /** More than half of it is holes. */
  get isWasteful(): boolean {
    return this.#room > wasteFromBytes && this.#held * 2 < this.#room;
  }

  /** Copies the bytes; gives their place, a small integer from 0. */
  put(bytes: Uint8Array, note: number): number {
    const size = sizeOf(bytes.length);
    if (this.#at + size > pieceBytes) this.#begin(size);
    const piece = this.#pieces[this.#last] as Piece;
    const at = this.#at;
    piece.view.setUint32(at, bytes.length);
    piece.view.setFloat64(at + 4, note);
    piece.bytes.set(bytes, at + headBytes);
    piece.held += size;
    this.#held += size;
    this.#at = at + size;
    return this.#last * grainsPerPiece + at / grainBytes;
  }

  noteAt(place: number): number {
    return this.#pieceAt(place).view.getFloat64(offsetOf(place) + 4);
  }

  /** The bytes where they lie; that memory is never written again. */
  bytesAt(place: number): Uint8Array {
    const { bytes, view } = this.#pieceAt(place);
    const at = offsetOf(place);
    return bytes.subarray(at + headBytes, at + headBytes + view.getUint32(at));
  }

  remove(place: number): void {
    const piece = this.#pieceAt(place);
    const size = sizeOf(piece.view.getUint32(offsetOf(place)));
    piece.held -= size;
    this.#held -= size;
    if (piece.held > 0) return;
    const number = Math.floor(place / grainsPerPiece);
    if (number === this.#last) this.#at = pieceBytes;
    this.#pieces[number] = null;
    this.#free.push(number);
    this.#room -= piece.bytes.length;
  }

  #pieceAt(place: number): Piece {
    const piece = this.#pieces[Math.floor(place / grainsPerPiece)];
    assertInvariant(piece !== null && piece !== undefined, 'there are bytes at their place');
    return piece;
  }

  /** What is larger than a piece has one of its own. */
  #begin(size: number): void {
    const bytes = new Uint8Array(Math.max(size, pieceBytes));
    const number = this.#free.pop() ?? this.#pieces.length;
    this.#pieces[number] = { bytes, view: new DataView(bytes.buffer), held: 0 };
    this.#last = number;
    this.#at = 0;
    this.#room += bytes.length;
  }
}

function sizeOf(length: number): number {
  return Math.ceil((length + headBytes) / grainBytes) * grainBytes;
}

function offsetOf(place: number): number {
  return (place % grainsPerPiece) * grainBytes;
}
