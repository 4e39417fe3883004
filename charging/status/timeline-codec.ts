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
 * Timelines as bytes: texts once each at the front, then the base, then the points with their times as differences. A point has some ten
 * bytes beside its texts.
 */
export const connectorTimeline: Codec<ConnectorTimeline> = withEncodeInto(
  { kind: 'codec', schemaId: 'connector-timeline.v1', encode: encodeBy(write), decode: read }, write,
);

function write(timeline: ConnectorTimeline, writer: ByteWriter): void {
  const texts = textsOf(timeline);
  const indexOf = (text: string | null): number => (text === null ? 0 : (texts.get(text) ?? 0));
  writeNumber(writer, texts.size);
  for (const text of texts.keys()) {
    writeNumber(writer, Buffer.byteLength(text, 'utf8'));
    writer.text(text);
  }
  const writePlace = ({ siteId, city, operator }: ConnectorPlace): void => {
    for (const text of [siteId, city, operator]) writeNumber(writer, indexOf(text));
  };
  const { base, points } = timeline;
  writeNumber(writer, timeline.baseMs + 1);
  writer.uint8((base.confirmed ? 1 : 0) + (base.toldSinceLost ? 2 : 0) + (base.online ? 4 : 0) + sources.indexOf(base.source) * 8);
  for (const status of [base.told, base.stationStatus, base.status]) writer.uint8(statusNumber(status));
  for (const text of [base.toldCode, base.stationCode, base.open, base.errorCode, base.transactionId]) writeNumber(writer, indexOf(text));
  for (const time of [base.openedMs, base.lostMs, base.fromMs]) writeNumber(writer, time + 1);
  writeNumber(writer, base.openEdition);
  writePlace(base.place);
  writeNumber(writer, points.length);
  let beforeMs = 0;
  let placeBefore = nowhere;
  for (const point of points) {
    const samePlace = point.place === placeBefore;
    const flags = (point.live ? 1 : 0) + (point.unplugged ? 2 : 0) + (samePlace ? 4 : 0);
    writer.uint8(point.kind * 8 + flags);
    writeNumber(writer, point.timeMs - beforeMs);
    writeNumber(writer, point.receivedMs + 1 === 0 ? 0 : zigzag(point.receivedMs - point.timeMs) + 1);
    writer.uint8(statusNumber(point.status));
    writeNumber(writer, indexOf(point.errorCode));
    writeNumber(writer, indexOf(point.transactionId));
    writeNumber(writer, point.edition);
    if (!samePlace) writePlace(point.place);
    beforeMs = point.timeMs;
    placeBefore = point.place;
  }
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
    add(point.errorCode);
    add(point.transactionId);
    if (point.place !== placeBefore) addPlace(point.place);
    placeBefore = point.place;
  }
  return texts;
}

function statusNumber(status: ConnectorStatus | null): number {
  return status === null ? 0 : connectorStatuses.indexOf(status) + 1;
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
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
  texts: readonly (string | null)[] = [null];

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

  plainText(): string {
    const length = this.number();
    if (this.#at + length > this.#source.length) throw this.#malformed('a text is cut off');
    this.#at += length;
    return this.#source.toString('utf8', this.#at - length, this.#at);
  }

  text(): string | null {
    const found = this.texts[this.number()];
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
  const texts: (string | null)[] = [null];
  for (let left = source.number(); left > 0; left--) texts.push(source.plainText());
  source.texts = texts;
  const baseMs = source.number() - 1;
  const base = readBase(source);
  const points: ConnectorPoint[] = [];
  let timeMs = 0;
  let place = nowhere;
  for (let left = source.number(); left > 0; left--) {
    const head = source.byte();
    timeMs += source.number();
    const received = source.number();
    const [status, errorCode, transactionId, edition] = [source.status(), source.text(), source.text(), source.number()];
    if ((head & 4) === 0) place = source.place();
    points.push({
      kind: head >> 3, timeMs, receivedMs: received === 0 ? -1 : timeMs + unzigzag(received - 1), status, errorCode, transactionId, edition,
      live: (head & 1) === 1, unplugged: (head & 2) === 2, place,
    });
  }
  source.end();
  return new ConnectorTimeline(base, baseMs, points);
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
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
  [base.openedMs, base.lostMs, base.fromMs] = [source.number() - 1, source.number() - 1, source.number() - 1];
  base.openEdition = source.number();
  base.place = source.place();
  return base;
}
