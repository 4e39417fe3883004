import type { ByteWriter } from '../../schemas/byte-writer.ts';
import type { Codec } from '../../schemas/codec.ts';
import { encodeBy, withEncodeInto } from '../../schemas/encode-into.ts';
import { asBuffer, bytesPreview, malformed } from '../../schemas/malformed.ts';
import { connectorStatuses } from './connector-interval.ts';
import type { ConnectorInterval, ConnectorStatus } from './connector-interval.ts';
import { nowhere } from './connector-point.ts';
import type { ConnectorPlace, ConnectorPoint } from './connector-point.ts';
import { ConnectorReading } from './connector-reading.ts';
import { ConnectorTimeline } from './connector-timeline.ts';

const sources = ['status', 'transaction', 'connection'] as const satisfies readonly ConnectorInterval['source'][];

/**
 * Timelines as bytes: all texts once, in one piece, then the base, then the points with their times as differences. A point has some
 * 12 bytes beside its texts. Written often, so that it is written in few and plain pieces.
 */
export const connectorTimeline: Codec<ConnectorTimeline> = withEncodeInto(
  { kind: 'codec', schemaId: 'connector-timeline.v1', encode: encodeBy(write), decode: read }, write,
);

const liveFlag = 8;
const unpluggedFlag = 16;
const samePlaceFlag = 32;
const plainTimesFlag = 64;
const otherFlag = 128;

/** Times within some 24 days of each other are written as 4 bytes. */
const shortMs = 2 ** 31;

function write(timeline: ConnectorTimeline, writer: ByteWriter): void {
  const { base, points } = timeline;
  const texts = textsOf(timeline);
  writeNumber(writer, texts.size);
  let all = '';
  for (const text of texts.keys()) {
    writeNumber(writer, text.length);
    all += text;
  }
  const at = writer.skipUint32();
  writer.text(all);
  writer.setUint32(at, writer.length - at - 4);
  writeNumber(writer, timeline.baseMs + 1);
  writer.uint8((base.confirmed ? 1 : 0) + (base.toldSinceLost ? 2 : 0) + (base.online ? 4 : 0) + sources.indexOf(base.source) * 8);
  writer.uint8(statusNumber(base.told));
  writer.uint8(statusNumber(base.stationStatus));
  writer.uint8(statusNumber(base.status));
  for (const text of [base.toldCode, base.stationCode, base.open, base.errorCode, base.transactionId]) writeText(writer, texts, text);
  for (const time of [base.openedMs, base.lostMs, base.firstMs, base.fromMs]) writeNumber(writer, time + 1);
  writeNumber(writer, base.openEdition);
  writePlace(writer, texts, base.place);
  writeNumber(writer, points.length);
  let beforeMs = 0;
  let placeBefore = nowhere;
  for (const point of points) {
    writePoint(writer, texts, point, beforeMs, point.place === placeBefore);
    beforeMs = point.timeMs;
    placeBefore = point.place;
  }
}

function writePoint(writer: ByteWriter, texts: ReadonlyMap<string, number>, point: ConnectorPoint, beforeMs: number, samePlace: boolean): void {
  const { timeMs, receivedMs, transactionId } = point;
  const sinceMs = timeMs - beforeMs;
  const isPlain = sinceMs < shortMs && receivedMs >= 0 && Math.abs(receivedMs - timeMs) < shortMs;
  const isOther = point.status !== null || point.errorCode !== null || point.edition !== 0;
  writer.uint8(point.kind + (point.live ? liveFlag : 0) + (point.unplugged ? unpluggedFlag : 0) + (samePlace ? samePlaceFlag : 0)
    + (isPlain ? plainTimesFlag : 0) + (isOther ? otherFlag : 0));
  if (isPlain) {
    writer.uint32(sinceMs);
    writer.uint32(receivedMs - timeMs + shortMs);
  } else {
    writeNumber(writer, sinceMs);
    writeNumber(writer, receivedMs + 1);
  }
  writeText(writer, texts, transactionId);
  if (isOther) {
    writer.uint8(statusNumber(point.status));
    writeText(writer, texts, point.errorCode);
    writeNumber(writer, point.edition);
  }
  if (!samePlace) writePlace(writer, texts, point.place);
}

function writeText(writer: ByteWriter, texts: ReadonlyMap<string, number>, text: string | null): void {
  writeNumber(writer, text === null ? 0 : (texts.get(text) ?? 0));
}

function writePlace(writer: ByteWriter, texts: ReadonlyMap<string, number>, place: ConnectorPlace): void {
  writeText(writer, texts, place.siteId);
  writeText(writer, texts, place.city);
  writeText(writer, texts, place.operator);
}

/** All texts with their numbers, from 1; 0 is none. */
function textsOf({ base, points }: ConnectorTimeline): ReadonlyMap<string, number> {
  const texts = new Map<string, number>();
  const add = (text: string | null): void => {
    if (text !== null && !texts.has(text)) texts.set(text, texts.size + 1);
  };
  const addPlace = (place: ConnectorPlace): void => {
    add(place.siteId);
    add(place.city);
    add(place.operator);
  };
  for (const text of [base.toldCode, base.stationCode, base.open, base.errorCode, base.transactionId]) add(text);
  addPlace(base.place);
  let placeBefore = nowhere;
  for (const point of points) {
    if (point.errorCode !== null) add(point.errorCode);
    if (point.transactionId !== null) add(point.transactionId);
    if (point.place !== placeBefore) addPlace(point.place);
    placeBefore = point.place;
  }
  return texts;
}

function statusNumber(status: ConnectorStatus | null): number {
  return status === null ? 0 : connectorStatuses.indexOf(status) + 1;
}

/** Whole numbers from 0 up to 2^53, seven bits a byte, lowest first. */
function writeNumber(writer: ByteWriter, value: number): void {
  let rest = value;
  while (rest >= 128) {
    writer.uint8((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  writer.uint8(rest);
}

/** What is left to be read of the bytes. */
class TimelineBytes {
  readonly #source: Buffer;
  #at = 0;
  #texts: readonly (string | null)[] = [null];

  constructor(source: Buffer) {
    this.#source = source;
  }

  byte(): number {
    const found = this.#source[this.#at];
    if (found === undefined) throw this.#malformed('it is cut off');
    this.#at++;
    return found;
  }

  number(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte % 128) * factor;
      if (!Number.isSafeInteger(value)) throw this.#malformed('a number is beyond 2^53');
      if (byte < 128) return value;
    }
  }

  uint32(): number {
    if (this.#at + 4 > this.#source.length) throw this.#malformed('it is cut off');
    this.#at += 4;
    return this.#source.readUInt32BE(this.#at - 4);
  }

  /** The texts at the front: their lengths in UTF-16 units, then all of them. */
  readTexts(): void {
    const lengths: number[] = [];
    for (let left = this.number(); left > 0; left--) lengths.push(this.number());
    const bytes = this.uint32();
    if (this.#at + bytes > this.#source.length) throw this.#malformed('a text is cut off');
    const all = this.#source.toString('utf8', this.#at, this.#at + bytes);
    this.#at += bytes;
    let from = 0;
    const texts: (string | null)[] = [null];
    for (const length of lengths) texts.push(all.slice(from, (from += length)));
    if (from !== all.length) throw this.#malformed('its texts are of another length');
    this.#texts = texts;
  }

  text(): string | null {
    const found = this.#texts[this.number()];
    if (found === undefined) throw this.#malformed('a text is missing');
    return found;
  }

  status(): ConnectorStatus | null {
    const number = this.byte();
    const found = number === 0 ? null : connectorStatuses[number - 1];
    if (found === undefined) throw this.#malformed('a status is unknown');
    return found;
  }

  place(): ConnectorPlace {
    return { siteId: this.text(), city: this.text(), operator: this.text() };
  }

  end(): void {
    if (this.#at !== this.#source.length) throw this.#malformed('there is more than a timeline');
  }

  #malformed(what: string) {
    return malformed(`the timeline of a connector cannot be read: ${what}`, 'bytes of connector-timeline.v1', bytesPreview(this.#source));
  }
}

function read(bytes: Uint8Array): ConnectorTimeline {
  const source = new TimelineBytes(asBuffer(bytes));
  source.readTexts();
  const baseMs = source.number() - 1;
  const base = readBase(source);
  const points: ConnectorPoint[] = [];
  let before: Pick<ConnectorPoint, 'timeMs' | 'place'> = { timeMs: 0, place: nowhere };
  for (let left = source.number(); left > 0; left--) {
    const point = readPoint(source, before.timeMs, before.place);
    points.push(point);
    before = point;
  }
  source.end();
  return new ConnectorTimeline(base, baseMs, points);
}

function readPoint(source: TimelineBytes, beforeMs: number, placeBefore: ConnectorPlace): ConnectorPoint {
  const head = source.byte();
  const isPlain = (head & plainTimesFlag) !== 0;
  const timeMs = beforeMs + (isPlain ? source.uint32() : source.number());
  const receivedMs = isPlain ? source.uint32() - shortMs + timeMs : source.number() - 1;
  const transactionId = source.text();
  const isOther = (head & otherFlag) !== 0;
  const status = isOther ? source.status() : null;
  const errorCode = isOther ? source.text() : null;
  const edition = isOther ? source.number() : 0;
  const place = (head & samePlaceFlag) === 0 ? source.place() : placeBefore;
  return {
    kind: head % liveFlag, timeMs, receivedMs, status, errorCode, transactionId, edition, live: (head & liveFlag) !== 0,
    unplugged: (head & unpluggedFlag) !== 0, place,
  };
}

function readBase(source: TimelineBytes): ConnectorReading {
  const base = new ConnectorReading();
  const flags = source.byte();
  base.confirmed = (flags & 1) === 1;
  base.toldSinceLost = (flags & 2) === 2;
  base.online = (flags & 4) === 4;
  base.source = sources[flags >> 3] ?? 'status';
  [base.told, base.stationStatus, base.status] = [source.status(), source.status(), source.status()];
  [base.toldCode, base.stationCode, base.open] = [source.text(), source.text(), source.text()];
  [base.errorCode, base.transactionId] = [source.text(), source.text()];
  [base.openedMs, base.lostMs] = [source.number() - 1, source.number() - 1];
  [base.firstMs, base.fromMs] = [source.number() - 1, source.number() - 1];
  base.openEdition = source.number();
  base.place = source.place();
  return base;
}
