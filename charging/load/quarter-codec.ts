import { InvariantViolation } from '../../errors.ts';
import type { ByteWriter } from '../../schemas/byte-writer.ts';
import type { Codec } from '../../schemas/codec.ts';
import { encodeBy, withEncodeInto } from '../../schemas/encode-into.ts';
import { malformed } from '../../schemas/malformed.ts';
import { highest, settled } from './quarter-load.ts';
import type { QuarterLoad } from './quarter-load.ts';

const minutes = 15;

/**
 * A quarter's load in some 100 bytes: whole numbers by their size (7 bits a byte, the lowest first, signs folded in), the minutes as runs of
 * equal values, texts with their length in front. Sums of minutes are made again from these.
 */
export const quarterLoadCodec: Codec<QuarterLoad> = withEncodeInto({
  kind: 'codec',
  schemaId: 'charging.quarter-load.v1',
  encode: encodeBy(write),
  decode: (bytes) => new QuarterReader(bytes).quarter(),
}, write);

function write(quarter: QuarterLoad, writer: ByteWriter): void {
  writeSigned(quarter.stationValidFromMs, writer);
  writer.uint8(quarter.peakPowerW === null ? 0 : 1);
  if (quarter.peakPowerW !== null) writer.float64(quarter.peakPowerW);
  writeSigned(quarter.samples, writer);
  writeSigned(quarter.sessionsStarted, writer);
  writeSigned(quarter.sessionsEnded, writer);
  writeSigned(quarter.errors, writer);
  writeRuns(quarter.minutesMilliWh, writer);
  writeRuns(quarter.minutesOccupiedMs, writer);
  writeRuns(quarter.minutesChargingMs, writer);
  writeText(quarter.siteId, writer);
  writeText(quarter.city, writer);
  writeText(quarter.operator, writer);
}

function writeRuns(values: readonly number[], writer: ByteWriter): void {
  let at = 0;
  while (at < minutes) {
    const value = values[at] as number;
    let end = at + 1;
    while (end < minutes && values[end] === value) end += 1;
    writer.uint8(end - at);
    writeSigned(value, writer);
    at = end;
  }
}

/** 0: null; else one more than the length of what follows in bytes. */
function writeText(text: string | null, writer: ByteWriter): void {
  writeUnsigned(text === null ? 0 : Buffer.byteLength(text) + 1, writer);
  if (text !== null) writer.text(text);
}

function writeSigned(value: number, writer: ByteWriter): void {
  if (!(value > -(2 ** 52) && value < 2 ** 52)) throw new InvariantViolation(`a station's load is a whole number below 2^52, and not ${value}`);
  writeUnsigned(value < 0 ? -2 * value - 1 : 2 * value, writer);
}

function writeUnsigned(value: number, writer: ByteWriter): void {
  let rest = value;
  while (rest > 0x7fff_ffff) {
    writer.uint8((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  while (rest > 127) {
    writer.uint8((rest & 127) | 128);
    rest >>>= 7;
  }
  writer.uint8(rest);
}

class QuarterReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  quarter(): QuarterLoad {
    const stationValidFromMs = this.#signed();
    const peakPowerW = this.#byte() === 0 ? null : this.#float64();
    const samples = this.#signed();
    const sessionsStarted = this.#signed();
    const sessionsEnded = this.#signed();
    const errors = this.#signed();
    const minutesMilliWh = this.#runs();
    const minutesOccupiedMs = this.#runs();
    const minutesChargingMs = this.#runs();
    const siteId = this.#text();
    const city = this.#text();
    const operator = this.#text();
    if (this.#at !== this.#bytes.length) throw this.#broken();
    return {
      energyMilliWh: sum(minutesMilliWh), occupiedMs: sum(minutesOccupiedMs), chargingMs: sum(minutesChargingMs), peakMinuteMilliWh: highest(minutesMilliWh),
      peakPowerW, samples, sessionsStarted, sessionsEnded, errors, siteId, city, operator, stationValidFromMs, minutesMilliWh, minutesOccupiedMs, minutesChargingMs,
    };
  }

  #runs(): readonly number[] {
    const values: number[] = [];
    while (values.length < minutes) {
      const count = this.#byte();
      if (count === 0 || values.length + count > minutes) throw this.#broken();
      const value = this.#signed();
      for (let at = 0; at < count; at += 1) values.push(value);
    }
    return settled(values);
  }

  #text(): string | null {
    const length = this.#unsigned();
    if (length === 0) return null;
    const from = this.#at;
    this.#at += length - 1;
    if (this.#at > this.#bytes.length) throw this.#broken();
    return this.#bytes.toString('utf8', from, this.#at);
  }

  #signed(): number {
    const folded = this.#unsigned();
    return folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
  }

  #unsigned(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.#byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
      if (factor > 2 ** 49) throw this.#broken();
    }
  }

  #float64(): number {
    const from = this.#at;
    this.#at += 8;
    if (this.#at > this.#bytes.length) throw this.#broken();
    return this.#bytes.readDoubleLE(from);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw this.#broken();
    this.#at += 1;
    return byte;
  }

  #broken(): Error {
    return malformed('the load of a quarter is not as it was written', 'a charging.quarter-load.v1', `${this.#bytes.length} bytes`);
  }
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
