/** Small encodings of the runtime's own cells: ordinals as ordered keys, facts as JSON text. */
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function textBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

export function bytesText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** 8 bytes, big endian, so that keys order as numbers do. */
export function ordinalBytes(ordinal: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(Math.floor(ordinal / 0x1_0000_0000), 0);
  bytes.writeUInt32BE(ordinal >>> 0, 4);
  return bytes;
}

export function bytesOrdinal(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(0) * 0x1_0000_0000 + view.getUint32(4);
}
