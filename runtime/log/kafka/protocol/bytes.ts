/** Reads what Kafka's flexible messages consist of, from one piece of memory. */
export class ByteReader {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  int16(): number {
    this.at += 2;
    return this.bytes.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.bytes.readInt32BE(this.at - 4);
  }

  /** Exact to 2^53; offsets and times stay far below. */
  int64(): number {
    this.at += 8;
    return int64At(this.bytes, this.at - 8);
  }

  bigInt64(): bigint {
    this.at += 8;
    return this.bytes.readBigInt64BE(this.at - 8);
  }

  unsignedVarint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  /** Length of a compact array, string or bytes; -1 for null. */
  compactLength(): number {
    return this.unsignedVarint() - 1;
  }

  compactString(): string | null {
    const length = this.compactLength();
    if (length < 0) return null;
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }

  slice(length: number): Buffer {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  skipTags(): void {
    for (let tags = this.unsignedVarint(); tags > 0; tags--) {
      this.unsignedVarint();
      const length = this.unsignedVarint();
      this.at += length;
    }
  }
}

export function int64At(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 4_294_967_296 + bytes.readUInt32BE(at + 4);
}
