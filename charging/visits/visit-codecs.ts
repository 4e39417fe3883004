import type { ByteWriter } from '../../schemas/byte-writer.ts';
import type { Codec } from '../../schemas/codec.ts';
import { encodeBy, withEncodeInto } from '../../schemas/encode-into.ts';
import { CompactReader, writeNumber, writeText, writeWhole } from '../stitching/compact-numbers.ts';
import type { VisitAttempts } from './group-attempts.ts';
import type { AttemptChange, VisitAttempt } from './visit-attempt.ts';

/** What became known of an attempt, on its way to the task of its site. */
export const attemptChangeCodec: Codec<AttemptChange> = compact('visit-attempt-change.v1', (change, writer) => {
  writeText(writer, change.idToken);
  writeText(writer, change.sessionId);
  writer.uint8(change.attempt === null ? 0 : 1);
  if (change.attempt !== null) writeAttempt(change.attempt, writer);
}, (reader) => {
  const [idToken, sessionId] = [textOf(reader), textOf(reader)];
  return { idToken, sessionId, attempt: reader.byte() === 0 ? null : readAttempt(reader) };
});

/** Visits that begin at one time; more than one only where a visit is full. */
export const visitsCodec: Codec<readonly VisitAttempts[]> = compact(
  'visits.v1', (visits, writer) => writeList(visits, writer, (attempts) => writeList(attempts, writer, (attempt) => writeAttempt(attempt, writer))),
  (reader) => readList(reader, () => readList(reader, () => readAttempt(reader))),
);

/** An attempt in the list of those that ended at a station: site and token together, and the session. */
export type EndedAttempt = readonly [group: string, sessionId: string];

export const endedCodec: Codec<readonly EndedAttempt[]> = compact('visit-ends.v1', (ended, writer) => writeList(ended, writer, ([group, sessionId]) => {
  writeText(writer, group);
  writeText(writer, sessionId);
}), (reader) => readList(reader, () => [textOf(reader), textOf(reader)] as const));

/** Where and by whom a session was said to be when its last row came. */
export interface SessionPlace {
  readonly sessionId: string;
  readonly siteId: string | null;
  readonly idToken: string | null;
}

export const placesCodec: Codec<readonly SessionPlace[]> = compact('visit-places.v1', (places, writer) => writeList(places, writer, (place) => {
  writeText(writer, place.sessionId);
  writeText(writer, place.siteId);
  writeText(writer, place.idToken);
}), (reader) => readList(reader, () => ({ sessionId: textOf(reader), siteId: reader.text(), idToken: reader.text() })));

function compact<T>(schemaId: string, write: (value: T, writer: ByteWriter) => void, read: (reader: CompactReader) => T): Codec<T> {
  return withEncodeInto({ kind: 'codec', schemaId, encode: encodeBy(write), decode: (bytes) => read(new CompactReader(bytes)) }, write);
}

/** Times as distances from the first event: a byte or five. */
function writeAttempt(attempt: VisitAttempt, writer: ByteWriter): void {
  writeText(writer, attempt.sessionId);
  writeText(writer, attempt.stationId);
  writeWhole(writer, attempt.openedMs);
  writeWhole(writer, attempt.startMs - attempt.openedMs);
  writeNumber(writer, attempt.stopMs === null ? null : attempt.stopMs - attempt.openedMs);
  writeNumber(writer, attempt.energyWh);
  writeText(writer, attempt.city);
  writeText(writer, attempt.operator);
  writeText(writer, attempt.timeZone);
}

function readAttempt(reader: CompactReader): VisitAttempt {
  const [sessionId, stationId, openedMs] = [textOf(reader), textOf(reader), reader.whole()];
  const startMs = reader.whole() + openedMs;
  const stop = reader.number();
  return {
    sessionId, stationId, openedMs, startMs, stopMs: stop === null ? null : stop + openedMs, energyWh: reader.number(), city: reader.text(),
    operator: reader.text(), timeZone: reader.text(),
  };
}

function textOf(reader: CompactReader): string {
  return reader.text() ?? '';
}

function writeList<T>(list: readonly T[], writer: ByteWriter, write: (one: T) => void): void {
  writeWhole(writer, list.length);
  for (const one of list) write(one);
}

function readList<T>(reader: CompactReader, read: () => T): readonly T[] {
  return Array.from({ length: reader.whole() }, read);
}
