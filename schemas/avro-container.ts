import { createHash } from 'node:crypto';
import { typeOfForm } from './avro-codec.ts';
import type { RegisteredForm } from './codec.ts';

/** Bodies of a block at most, in bytes: what readers hold at a time. */
export const containerBlockBytes = 262_144;

/**
 * Writes Avro object container files (Avro 1.12, "Object Container Files", codec null) around bodies that are encoded already. The mark between blocks is made of
 * the schema and `mark`, so that the same content gives the same bytes.
 */
export class AvroContainer<T> {
  readonly #sync: Buffer;
  readonly #schema: string;
  #bodies: Uint8Array[] = [];
  #bytes = 0;

  constructor(form: RegisteredForm<T>, mark: string) {
    this.#schema = JSON.stringify(typeOfForm(form).schema({ exportAttrs: true }));
    this.#sync = createHash('sha256').update(this.#schema).update(mark).digest().subarray(0, 16);
  }

  /** What a file begins with. */
  header(): Uint8Array {
    return Buffer.concat([
      Buffer.from('Obj\x01'), long(2), text('avro.schema'), text(this.#schema), text('avro.codec'), text('null'), long(0), this.#sync,
    ]);
  }

  /** Adds a value's body; gives a block when one is full. The bytes must stay as they are until then. */
  add(body: Uint8Array): Uint8Array | null {
    this.#bodies.push(body);
    this.#bytes += body.length;
    return this.#bytes >= containerBlockBytes ? this.end() : null;
  }

  /** What has been added since the last block, as one. */
  end(): Uint8Array | null {
    if (this.#bodies.length === 0) return null;
    const block = Buffer.concat([long(this.#bodies.length), long(this.#bytes), ...this.#bodies, this.#sync]);
    this.#bodies = [];
    this.#bytes = 0;
    return block;
  }
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value);
  return Buffer.concat([long(bytes.length), bytes]);
}

/** A count as zigzag varint. */
function long(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.of(...bytes, rest);
}
