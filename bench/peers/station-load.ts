import type { Windowed } from '../../operators/operator.ts';
import type { ByteWriter } from '../../schemas/byte-writer.ts';
import type { Codec } from '../../schemas/codec.ts';
import { encodeBy, withEncodeInto } from '../../schemas/encode-into.ts';
import { sampleMs } from './workloads.ts';

/** What a station did in a span of time. */
export interface StationLoad {
  readonly count: number;
  readonly energyWh: number;
  readonly peakW: number;
  readonly city: string;
}

export const nothing: StationLoad = { count: 0, energyWh: 0, peakW: 0, city: '' };

/** The very operations, in the very order, of `kafka-streams/StationLoad.java`: sums must be equal to the last bit. */
export function withPower(load: StationLoad, powerW: number | null, city: string): StationLoad {
  const power = powerW ?? 0;
  return { count: load.count + 1, energyWh: load.energyWh + power * (sampleMs / 1_000 / 3_600), peakW: Math.max(load.peakW, power), city };
}

export function together(earlier: StationLoad, later: StationLoad): StationLoad {
  return {
    count: earlier.count + later.count, energyWh: earlier.energyWh + later.energyWh, peakW: Math.max(earlier.peakW, later.peakW),
    city: later.city === '' ? earlier.city : later.city,
  };
}

const HEAD_BYTES = 24;
/** Where a number is turned into bytes. */
const number = new DataView(new ArrayBuffer(8));

function writeFloat64(value: number, writer: ByteWriter): void {
  number.setFloat64(0, value);
  writer.uint32(number.getUint32(0));
  writer.uint32(number.getUint32(4));
}

function writeInt64(value: number, writer: ByteWriter): void {
  const high = Math.floor(value / 2 ** 32);
  writer.uint32(high >>> 0);
  writer.uint32(value - high * 2 ** 32);
}

function writeLoad({ count, energyWh, peakW, city }: StationLoad, writer: ByteWriter): void {
  writeInt64(count, writer);
  writeFloat64(energyWh, writer);
  writeFloat64(peakW, writer);
  if (city !== '') writer.text(city);
}

/** Count (int64), energy and peak (float64), big endian, then the city in UTF-8. */
export const stationLoad: Codec<StationLoad> = withEncodeInto({
  kind: 'codec',
  schemaId: 'station-load',
  encode: encodeBy(writeLoad),
  decode: (encoded) => {
    const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length);
    return {
      count: bytes.readInt32BE(0) * 2 ** 32 + bytes.readUInt32BE(4), energyWh: bytes.readDoubleBE(8), peakW: bytes.readDoubleBE(16),
      city: bytes.toString('utf8', HEAD_BYTES),
    };
  },
}, writeLoad);

/** Kafka Streams' form of a windowed key: the key in UTF-8, then for sessions the end, then the start, int64 big endian. */
export function windowedKeyOf(kind: 'time' | 'session', windowMs: number): Codec<Windowed<string>> {
  const tail = kind === 'time' ? 8 : 16;
  return {
    kind: 'codec',
    schemaId: `peer-${kind}-key`,
    encode: encodeBy(({ key, startMs, endMs }, writer) => {
      writer.text(key);
      if (kind === 'session') writeInt64(endMs, writer);
      writeInt64(startMs, writer);
    }),
    decode: (encoded) => {
      const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length);
      const at = bytes.length - tail;
      const startMs = Number(bytes.readBigInt64BE(at + tail - 8));
      return { key: bytes.toString('utf8', 0, at), startMs, endMs: kind === 'time' ? startMs + windowMs : Number(bytes.readBigInt64BE(at)) };
    },
  };
}
