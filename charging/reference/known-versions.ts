import { utf8 } from '../../schemas/builtin-codecs.ts';
import { SchemaNotLoaded } from '../../schemas/codec.ts';
import type { Form, SchemaRegistry, WireReader } from '../../schemas/codec.ts';
import type { Log, LogRecord } from '../engine.ts';

/** A version of a station or vehicle as the topic has it. */
export interface KnownVersion<T> {
  readonly validFromMs: number;
  /** Null: deleted as of then. */
  readonly value: T | null;
}

export interface KnownHistory<T> {
  /** By valid from, ascending; of versions valid from the same time the one appended last. */
  readonly versions: readonly KnownVersion<T>[];
  /** Form by which it was loaded last; null when it came another way. */
  readonly source: string | null;
  /** The newest time that a source gave for it; null when none did. */
  readonly sourceMs: number | null;
}

/** Header that names the form by which a record was loaded. */
export const sourceHeader = 'voltstream.source';
/** Header with the time of which the source's record is; UTC milliseconds as text. */
export const sourceTimeHeader = 'voltstream.source-time';

/**
 * All versions in a topic of reference data, by key, read from its start to the end seen now. The topic is the truth: a process
 * may not have read to its end yet, and none may be running. None when there is no such topic.
 */
export async function knownVersions<T extends { readonly validFromMs: number }>(
  log: Log, registry: SchemaRegistry, topic: string, form: Form<T>,
): Promise<ReadonlyMap<string, KnownHistory<T>>> {
  const histories = new Map<string, KnownHistory<T>>();
  const reader = registry.reader(form);
  const partitions = await log.partitionCount(topic) ?? 0;
  for (let partition = 0; partition < partitions; partition++) {
    const { start, end } = await log.bounds({ topic, partition });
    if (start === end) continue;
    for await (const { records } of log.read({ topic, partition }, start, end)) {
      for (const record of records) {
        if (record.key === null) continue;
        const key = utf8.decode(record.key);
        histories.set(key, withVersion(histories.get(key), record, await valueOf(reader, record)));
      }
    }
  }
  return histories;
}

async function valueOf<T>(reader: WireReader<T>, record: LogRecord): Promise<T | null> {
  if (record.value === null) return null;
  try {
    return reader.decode(record.value);
  } catch (error) {
    if (!(error instanceof SchemaNotLoaded)) throw error;
    await reader.load(error.schemaId);
    return reader.decode(record.value);
  }
}

function withVersion<T extends { readonly validFromMs: number }>(before: KnownHistory<T> | undefined, record: LogRecord, value: T | null): KnownHistory<T> {
  const version = { validFromMs: value?.validFromMs ?? record.timestampMs, value };
  const sourceMs = Number(headerOf(record, sourceTimeHeader) ?? Number.NaN);
  const newest = Math.max(before?.sourceMs ?? Number.NEGATIVE_INFINITY, Number.isNaN(sourceMs) ? Number.NEGATIVE_INFINITY : sourceMs);
  return {
    versions: insertVersion(before?.versions ?? [], version),
    source: headerOf(record, sourceHeader) ?? before?.source ?? null,
    sourceMs: Number.isFinite(newest) ? newest : null,
  };
}

/** Versions with one more, which replaces one that is valid from the same time. */
export function insertVersion<T>(versions: readonly KnownVersion<T>[], version: KnownVersion<T>): readonly KnownVersion<T>[] {
  const { validFromMs } = version;
  return [...versions.filter((each) => each.validFromMs < validFromMs), version, ...versions.filter((each) => each.validFromMs > validFromMs)];
}

function headerOf(record: LogRecord, name: string): string | null {
  const found = record.headers?.find(({ key }) => key === name);
  return found === undefined ? null : utf8.decode(found.value);
}
