import { VoltstreamError } from '../errors.ts';
import type { Codec, CodecDescription } from './codec.ts';
import { encodeBy, withEncodeInto } from './encode-into.ts';

/**
 * State outlives the codec that wrote it. A codec describes itself in a text that is kept with the state, and a later version
 * of it finds out from that text whether, and how, it can read the old bytes: Avro schemas by Avro's rules of resolution, codecs
 * around other codecs by way of those. Whatever has no such rule is read by the very same codec only.
 */

/** What is kept beside the bytes of a codec. */
export function describeCodec(codec: Codec<unknown>): CodecDescription {
  return codec.evolution?.description ?? { id: codec.schemaId };
}

/** True when a codec knows how to read what other versions of it have written. */
export function canEvolve(codec: Codec<unknown>): boolean {
  return codec.evolution !== undefined;
}

/**
 * Reads as `codec` does what a codec of that description has written.
 *
 * @throws VoltstreamError SCHEMA_INCOMPATIBLE when it cannot be read so: another codec, or a schema that does not resolve.
 */
export function decoderOf<T>(codec: Codec<T>, written: CodecDescription): (bytes: Uint8Array) => T {
  if (written.id === codec.schemaId) return (bytes) => codec.decode(bytes);
  if (codec.evolution === undefined) throw unreadable(codec, written, 'it has no rule for reading other forms');
  return codec.evolution.decoderOf(written);
}

export function unreadable(codec: Pick<Codec<unknown>, 'schemaId'>, written: CodecDescription, why: string): VoltstreamError {
  return new VoltstreamError('SCHEMA_INCOMPATIBLE', `values cannot be read: ${why}`, { wanted: codec.schemaId, got: written.id });
}

/** The two directions of a codec; one that only writes into a writer has an `encode` made of that. */
export type CodecDirections<T> = Pick<Codec<T>, 'decode'> & (Pick<Codec<T>, 'encode'> | Required<Pick<Codec<T>, 'encodeInto'>>);

/**
 * A codec around others, such as a list of values: it can read what it has written around earlier versions of its parts. `make`
 * gives the two directions for parts that read and write.
 *
 * @example A value and how often it came
 * const counted = <V>(value: Codec<V>) => composite<{ value: V; times: number }, [Codec<V>]>('counted', [value], ([part]) => ({
 *   encode: ({ value: v, times }) => Buffer.concat([int64.encode(times), part.encode(v)]),
 *   decode: (bytes) => ({ times: int64.decode(bytes.subarray(0, 8)), value: part.decode(bytes.subarray(8)) }),
 * }));
 */
export function composite<T, P extends readonly Codec<unknown>[]>(
  name: string, parts: readonly [...P], make: (parts: readonly [...P]) => CodecDirections<T>,
): Codec<T> {
  const schemaId = `${name}(${parts.map((part) => part.schemaId).join(',')})`;
  const directions = make(parts);
  const { decode } = directions;
  const description: CodecDescription = { id: schemaId, around: name, parts: parts.map(describeCodec) };
  const codec: Codec<T> = {
    kind: 'codec', schemaId, decode,
    encode: 'encodeInto' in directions ? encodeBy(directions.encodeInto) : directions.encode,
    evolution: {
      description,
      decoderOf: (written) => {
        if (written.around !== name || written.parts?.length !== parts.length) throw unreadable(codec, written, 'it is another codec');
        const reading = parts.map((part, index) => ({ ...part, decode: decoderOf(part, (written.parts as readonly CodecDescription[])[index] as CodecDescription) }));
        const reader = make(reading as unknown as readonly [...P]);
        return (bytes) => reader.decode(bytes);
      },
    },
  };
  return 'encodeInto' in directions ? withEncodeInto(codec, directions.encodeInto) : Object.freeze(codec);
}
