import type { ByteWriter } from '../../schemas/byte-writer.ts';
import type { Codec } from '../../schemas/codec.ts';
import { encodeBy, withEncodeInto } from '../../schemas/encode-into.ts';
import { malformed } from '../../schemas/malformed.ts';
import { CompactReader, writeNumber, writeText, writeWhole } from './compact-numbers.ts';
import type { SessionClosedBy } from './session-row.ts';
import type { SessionPoint, SessionState } from './session-state.ts';
import { readFacts, writeFacts } from './station-facts-form.ts';

const chargingStates = [null, 'Charging', 'EVConnected', 'SuspendedEV', 'SuspendedEVSE', 'Idle'] as const;
const kinds = ['start', 'update', 'end'] as const;
const closings: readonly SessionClosedBy[] = ['None', 'TransactionEnded', 'NextStart', 'StatusAvailable', 'Inactivity'];

/** What a point has beside its time, state and kind, as bits of one byte. */
const has = { seqNo: 1, milliWh: 2, powerW: 4, exportMilliWh: 8, soc: 16 } as const;

/** The form of a session in the store: some 150 bytes and 8 to 12 for each point, since it is written at each commit. */
export const sessionCodec: Codec<SessionState> = withEncodeInto({
  kind: 'codec',
  schemaId: 'charging-session-state.v2',
  encode: encodeBy(writeSession),
  decode: readSession,
}, writeSession);

function writeSession(state: SessionState, writer: ByteWriter): void {
  const { openedMs } = state;
  writeText(writer, state.key);
  writer.uint8((state.transactionId === null ? 1 : 0) | (state.open ? 2 : 0));
  writeText(writer, state.stationId);
  writeWhole(writer, state.evseId);
  writeWhole(writer, state.connectorId);
  writeWhole(writer, openedMs);
  for (const value of [state.inactiveMs, state.edition, state.stopRank, state.thinAt, state.events, state.duplicates, state.marks, state.revision]) {
    writeWhole(writer, value);
  }
  writer.uint8(closings.indexOf(state.closedBy));
  for (const timeMs of [state.startMs, state.stopMs, state.nextStartMs, state.availableMs, state.firstMs, state.lastMs]) {
    writeNumber(writer, timeMs === null ? null : timeMs - openedMs);
  }
  for (const rank of [state.idTokenMs, state.partnerMs, state.vehicleModelMs, state.liveMs, state.dueMs]) writeRank(writer, rank, openedMs);
  writeNumber(writer, state.startSeqNo);
  writeNumber(writer, state.peakPowerW);
  for (const text of [state.stopReason, state.matchedKey, state.mergedInto, state.idToken, state.partner, state.vehicleModel]) writeText(writer, text);
  writeFacts(writer, state.facts);
  writeWhole(writer, state.seen.length);
  let before = 0;
  for (const number of state.seen) {
    writeWhole(writer, number - before);
    before = number;
  }
  writePoints(writer, state.points, openedMs);
}

function readSession(bytes: Uint8Array): SessionState {
  const reader = new CompactReader(bytes);
  const key = reader.text() ?? '';
  const bits = reader.byte();
  const stationId = reader.text() ?? '';
  const evseId = reader.whole();
  const connectorId = reader.whole();
  const openedMs = reader.whole();
  const [inactiveMs, edition, stopRank, thinAt, events, duplicates, marks, revision] = Array.from({ length: 8 }, () => reader.whole()) as Eight;
  const closedBy = closings[reader.byte()] as SessionClosedBy;
  const time = (): number | null => {
    const value = reader.number();
    return value === null ? null : value + openedMs;
  };
  const startMs = time();
  const stopMs = time();
  const nextStartMs = time();
  const availableMs = time();
  const firstMs = time() ?? openedMs;
  const lastMs = time() ?? openedMs;
  const [idTokenMs, partnerMs, vehicleModelMs, liveMs, dueMs] = Array.from({ length: 5 }, () => readRank(reader, openedMs)) as Five;
  const startSeqNo = reader.number();
  const peakPowerW = reader.number();
  const [stopReason, matchedKey, mergedInto, idToken, partner, vehicleModel] = Array.from({ length: 6 }, () => reader.text()) as SixTexts;
  const facts = readFacts(reader);
  let number = 0;
  const seen = Array.from({ length: reader.whole() }, () => (number += reader.whole()));
  const points = readPoints(reader, openedMs);
  if (!reader.atEnd || closedBy === undefined) throw malformed('the state of a session is malformed', 'nothing behind its points', `${bytes.length} bytes`);
  return {
    key, transactionId: (bits & 1) === 0 ? key : null, inactiveMs, stationId, evseId, connectorId, openedMs, edition, startMs, startSeqNo,
    stopMs, stopRank, stopReason, matchedKey, mergedInto, firstMs, lastMs, points, thinAt, peakPowerW, idToken, idTokenMs, partner,
    partnerMs, vehicleModel, vehicleModelMs, facts, seen, events, duplicates, nextStartMs, availableMs, marks, revision,
    open: (bits & 2) !== 0, closedBy, liveMs, dueMs, tail: undefined, segments: null,
  };
}

type Five = [number, number, number, number, number];
type Eight = [...Five, number, number, number];
type SixTexts = [string | null, string | null, string | null, string | null, string | null, string | null];

/** A time, or one of the marks -1 and Infinity that stand for none. */
function writeRank(writer: ByteWriter, timeMs: number, openedMs: number): void {
  if (timeMs === Infinity) writer.uint8(0);
  else if (timeMs === -1) writer.uint8(1);
  else {
    writer.uint8(2);
    writeWhole(writer, timeMs - openedMs);
  }
}

function readRank(reader: CompactReader, openedMs: number): number {
  const form = reader.byte();
  if (form === 0) return Infinity;
  return form === 1 ? -1 : reader.whole() + openedMs;
}

function writePoints(writer: ByteWriter, points: readonly SessionPoint[], openedMs: number): void {
  writeWhole(writer, points.length);
  let timeMs = openedMs;
  let seqNo = 0;
  let milliWh = 0;
  let exportMilliWh = 0;
  for (const point of points) {
    writer.uint8(
      (point.seqNo === null ? 0 : has.seqNo) | (point.milliWh === null ? 0 : has.milliWh) | (point.powerW === null ? 0 : has.powerW) |
      (point.exportMilliWh === null ? 0 : has.exportMilliWh) | (point.soc === null ? 0 : has.soc),
    );
    writer.uint8(kinds.indexOf(point.kind) * 8 + chargingStates.indexOf(point.chargingState));
    writeWhole(writer, point.timeMs - timeMs);
    timeMs = point.timeMs;
    if (point.seqNo !== null) {
      writeWhole(writer, point.seqNo - seqNo);
      seqNo = point.seqNo;
    }
    if (point.milliWh !== null) {
      writeWhole(writer, point.milliWh - milliWh);
      milliWh = point.milliWh;
    }
    if (point.powerW !== null) writeNumber(writer, point.powerW);
    if (point.exportMilliWh !== null) {
      writeWhole(writer, point.exportMilliWh - exportMilliWh);
      exportMilliWh = point.exportMilliWh;
    }
    if (point.soc !== null) writeNumber(writer, point.soc);
  }
}

function readPoints(reader: CompactReader, openedMs: number): SessionPoint[] {
  const points: SessionPoint[] = [];
  let timeMs = openedMs;
  let seqNo = 0;
  let milliWh = 0;
  let exportMilliWh = 0;
  for (let left = reader.whole(); left > 0; left -= 1) {
    const bits = reader.byte();
    const form = reader.byte();
    timeMs += reader.whole();
    if ((bits & has.seqNo) !== 0) seqNo += reader.whole();
    if ((bits & has.milliWh) !== 0) milliWh += reader.whole();
    const powerW = (bits & has.powerW) === 0 ? null : reader.number();
    if ((bits & has.exportMilliWh) !== 0) exportMilliWh += reader.whole();
    const soc = (bits & has.soc) === 0 ? null : reader.number();
    points.push({
      seqNo: (bits & has.seqNo) === 0 ? null : seqNo, timeMs, milliWh: (bits & has.milliWh) === 0 ? null : milliWh, powerW,
      chargingState: chargingStates[form % 8] ?? null, kind: kinds[form >> 3] ?? 'update',
      exportMilliWh: (bits & has.exportMilliWh) === 0 ? null : exportMilliWh, soc,
    });
  }
  return points;
}
