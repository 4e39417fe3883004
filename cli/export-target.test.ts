import { describe, expect, it } from 'vitest';
import { exportTargets } from './export-target.ts';

const text = (files: readonly string[], formats: readonly string[]): readonly string[] =>
  exportTargets(files, formats).map(({ file, format, compression }) => `${file ?? '-'} ${format} ${compression ?? 'plain'}`);

describe('exportTargets', () => {
  it('takes the format from the end of a name, and the compression of text', () => {
    expect(text(['a/b.csv', 'c.JSONL.gz', 'd.csv.zst', 'e.parquet'], [])).toEqual(['a/b.csv csv plain', 'c.JSONL.gz jsonl gzip', 'd.csv.zst csv zstd', 'e.parquet parquet plain']);
    expect(text(['x.csv.d/y.jsonl'], ['jsonl'])).toEqual(['x.csv.d/y.jsonl jsonl plain']);
  });

  it('gives another name the end of each format', () => {
    expect(text(['sessions'], ['csv,parquet', 'jsonl'])).toEqual(['sessions.csv csv plain', 'sessions.parquet parquet plain', 'sessions.jsonl jsonl plain']);
    expect(text(['2018.05.gz'], ['csv', 'parquet'])).toEqual(['2018.05.csv.gz csv gzip', '2018.05.parquet parquet plain']);
  });

  it('writes one format to standard output without a file, csv when none is named', () => {
    expect(text([], [])).toEqual(['- csv plain']);
    expect(text([], ['Parquet'])).toEqual(['- parquet plain']);
  });

  it.each([
    ['several formats on standard output', [], ['csv,jsonl'], /do not fit on standard output/],
    ['a format that there is not', [], ['xml'], /no such format[\s\S]*csv, jsonl, parquet[\s\S]*xml/],
    ['a name that says no format', ['sessions'], [], /format of a file is not known/],
    ['a format without a file', ['a.csv'], ['csv', 'parquet'], /a format has no file[\s\S]*FILE.parquet/],
    ['one file twice', ['a.csv', 'a.csv'], [], /named twice/],
    ['compressed Parquet', ['a.parquet.gz'], [], /compressed in itself/],
  ] as const)('refuses %s', (_name, files, formats, message) => {
    expect(() => exportTargets(files, formats)).toThrow(message);
  });
});
