import { basename } from 'node:path';
import type { ExportFormat } from '../console/export-endpoint.ts';
import { VoltstreamError } from '../errors.ts';

/** Names of formats as people write them; also the ends of file names. */
export const formatNames = { csv: 'CSV', jsonl: 'JSONEachRow', parquet: 'Parquet' } as const satisfies Readonly<Record<string, ExportFormat>>;
export type FormatName = keyof typeof formatNames;

/** Where one form of an answer goes. */
export interface ExportTarget {
  /** Null: standard output. */
  readonly file: string | null;
  readonly format: FormatName;
  readonly compression: 'gzip' | 'zstd' | null;
}

const compressions = { gz: 'gzip', zst: 'zstd' } as const;

/**
 * What is to be written where. A file whose name ends in `.csv`, `.jsonl` or `.parquet` (text also with `.gz` or `.zst` behind) has that format;
 * another name gets the end of each format that is wanted. Without a file one format goes to standard output (default: csv).
 *
 * @throws VoltstreamError CONFIGURATION_INVALID
 */
export function exportTargets(files: readonly string[], formats: readonly string[]): readonly ExportTarget[] {
  const wanted = formats.flatMap((text) => text.split(',')).map((text) => text.trim().toLowerCase()).filter((text) => text !== '').map(formatNamed);
  if (files.length === 0) {
    if (wanted.length > 1) throw wrong('several formats do not fit on standard output', '--out NAME, which gets the end of each format', wanted.join(', '));
    return [{ file: null, format: wanted[0] ?? 'csv', compression: null }];
  }
  const targets = files.flatMap((file) => targetsOf(file, wanted));
  const left = wanted.filter((format) => !targets.some((target) => target.format === format));
  if (left.length > 0) throw wrong('a format has no file', `--out FILE.${left[0] ?? ''}, or a name without an end`, files.join(', '));
  const twice = targets.find(({ file }, index) => targets.findIndex((other) => other.file === file) !== index);
  if (twice !== undefined) throw wrong('a file is named twice', 'each file once', twice.file ?? '');
  return targets;
}

function targetsOf(file: string, wanted: readonly FormatName[]): readonly ExportTarget[] {
  const [, ending = '', packed] = /\.([a-z]+)(?:\.(gz|zst))?$/i.exec(basename(file)) ?? [];
  const format = ending.toLowerCase() as FormatName;
  if (Object.hasOwn(formatNames, format)) {
    const compression = packed === undefined ? null : compressions[packed.toLowerCase() as keyof typeof compressions];
    if (format === 'parquet' && compression !== null) throw wrong('Parquet is compressed in itself', 'a name that ends in .parquet', file);
    return [{ file, format, compression }];
  }
  if (wanted.length === 0) throw wrong('the format of a file is not known', '--format, or a name that ends in .csv, .jsonl or .parquet', file);
  const end = /\.(gz|zst)$/i.exec(file)?.[1]?.toLowerCase() as keyof typeof compressions | undefined;
  const name = end === undefined ? file : file.slice(0, -end.length - 1);
  return wanted.map((each) => {
    const compression = end === undefined || each === 'parquet' ? null : compressions[end];
    return { file: `${name}.${each}${compression === null ? '' : `.${end ?? ''}`}`, format: each, compression };
  });
}

function formatNamed(text: string): FormatName {
  if (Object.hasOwn(formatNames, text)) return text as FormatName;
  throw wrong('there is no such format', Object.keys(formatNames).join(', '), text);
}

function wrong(what: string, wanted: string, got: string): VoltstreamError {
  return new VoltstreamError('CONFIGURATION_INVALID', what, { where: 'voltstream export', wanted, got, cure: 'See voltstream export --help.' });
}
