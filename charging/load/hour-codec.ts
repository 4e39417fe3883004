import { InvariantViolation } from '../../errors.ts';
import type { ByteWriter } from '../../schemas/byte-writer.ts';
import type { Codec } from '../../schemas/codec.ts';
import { encodeBy, withEncodeInto } from '../../schemas/encode-into.ts';
import { malformed } from '../../schemas/malformed.ts';
import { never, noPowers, noSpans } from './hour-load.ts';
import type { HourLoad } from './hour-load.ts';
import { compact, minutesInHour, spanNumbers } from './hour-minutes.ts';
import type { HourMinutes } from './hour-minutes.ts';

/**
 * An hour's load in some 60 bytes and 10 for each span: whole numbers by their size (7 bits a byte, the lowest first, signs folded in), counts by
 * quarter only where there are some, minutes as runs of equal values, texts with their length in front.
 */
export const hourLoadCodec: Codec<HourLoad> = withEncodeInto({
  kind: 'codec',
  schemaId: 'charging.hour-load.v1',
  encode: encodeBy(write),
  decode: (bytes) => new HourReader(bytes).hour(),
}, write);

/** What there is of an hour, as bits of its first byte. */
const has = { samples: 1, sessionsStarted: 2, sessionsEnded: 4, errors: 8, powers: 16, minutes: 32 } as const;

function write(hour: HourLoad, writer: ByteWriter): void {
  const { samples, sessionsStarted, sessionsEnded, errors, powersW, minutes, spans, facts } = hour;
  writer.uint8((samples === never ? 0 : has.samples) | (sessionsStarted === never ? 0 : has.sessionsStarted) | (sessionsEnded === never ? 0 : has.sessionsEnded)
    | (errors === never ? 0 : has.errors) | (powersW.length === 0 ? 0 : has.powers) | (minutes === null ? 0 : has.minutes));
  writeSigned(hour.energyMilliWh, writer);
  writeSigned(hour.occupiedMs, writer);
  writeSigned(hour.chargingMs, writer);
  for (const counts of [samples, sessionsStarted, sessionsEnded, errors]) if (counts !== never) for (const count of counts) writeSigned(count, writer);
  for (const powerW of powersW) writePower(powerW, writer);
  if (minutes !== null) {
    writeRuns(minutes.milliWh, writer);
    writeRuns(minutes.occupiedMs, writer);
    writeRuns(minutes.chargingMs, writer);
  }
  writeUnsigned(spans.length / spanNumbers, writer);
  for (const number of spans) writeSigned(number, writer);
  writeSigned(facts.stationValidFromMs, writer);
  writeText(facts.siteId, writer);
  writeText(facts.city, writer);
  writeText(facts.operator, writer);
}

function writePower(powerW: number | null, writer: ByteWriter): void {
  writer.uint8(powerW === null ? 0 : 1);
  if (powerW !== null) writer.float64(powerW);
}

/** Runs of the same value, until there are as many as minutes. */
function writeRuns(values: readonly number[], writer: ByteWriter): void {
  if (values.length <= 1) {
    writer.uint8(minutesInHour);
    writeSigned(values[0] ?? 0, writer);
    return;
  }
  let at = 0;
  while (at < minutesInHour) {
    const value = values[at] as number;
    let end = at + 1;
    while (end < minutesInHour && values[end] === value) end += 1;
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

class HourReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  hour(): HourLoad {
    const there = this.#byte();
    if (there >= 64) throw this.#broken();
    const hour = {
      energyMilliWh: this.#signed(), occupiedMs: this.#signed(), chargingMs: this.#signed(),
      samples: this.#counts(there & has.samples), sessionsStarted: this.#counts(there & has.sessionsStarted),
      sessionsEnded: this.#counts(there & has.sessionsEnded), errors: this.#counts(there & has.errors),
      powersW: (there & has.powers) === 0 ? noPowers : [this.#power(), this.#power(), this.#power(), this.#power()],
      minutes: (there & has.minutes) === 0 ? null : this.#minutes(),
      spans: this.#spans(),
      facts: { stationValidFromMs: this.#signed(), siteId: this.#text(), city: this.#text(), operator: this.#text() },
      peakMinuteMilliWh: -1,
    };
    if (this.#at !== this.#bytes.length) throw this.#broken();
    return hour;
  }

  #counts(isThere: number): readonly number[] {
    return isThere === 0 ? never : [this.#signed(), this.#signed(), this.#signed(), this.#signed()];
  }

  #power(): number | null {
    return this.#byte() === 0 ? null : this.#float64();
  }

  #minutes(): HourMinutes {
    const milliWh = this.#runs();
    const occupiedMs = this.#runs();
    return { milliWh, occupiedMs, chargingMs: this.#runs() };
  }

  #runs(): readonly number[] {
    const values: number[] = [];
    while (values.length < minutesInHour) {
      const count = this.#byte();
      if (count === 0 || values.length + count > minutesInHour) throw this.#broken();
      const value = this.#signed();
      for (let at = 0; at < count; at += 1) values.push(value);
    }
    return compact(values);
  }

  #spans(): readonly number[] {
    const length = this.#unsigned() * spanNumbers;
    if (length === 0) return noSpans;
    // Each takes a byte or more.
    if (length > this.#bytes.length) throw this.#broken();
    const spans: number[] = [];
    while (spans.length < length) spans.push(this.#signed());
    return spans;
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
    return malformed('the load of an hour is not as it was written', 'a charging.hour-load.v1', `${this.#bytes.length} bytes`);
  }
}
