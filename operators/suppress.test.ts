import { describe, expect, it } from 'vitest';
import { VoltstreamError } from '../errors.ts';
import { json, utf8 } from '../schemas/builtin-codecs.ts';
import type { StreamRecord, Windowed } from './operator.ts';
import { suppressChanges } from './suppress/change-suppression.ts';
import { suppressWindows } from './suppress/window-suppression.ts';
import { untilTimeLimit, untilWindowCloses, type EagerBuffer, type StrictBuffer } from './suppress.ts';
import type { Change } from './table-source.ts';
import { OperatorHarness } from './testing/harness.ts';

const text = json<string>('text');
const codecs = { key: utf8, value: text };
const change = (timestampMs: number, key: string, newValue: string | null, oldValue: string | null = null): StreamRecord<string, Change<string>> => ({
  key, value: { newValue, oldValue, isLatest: true }, timestampMs,
});
const held = (limitMs: number, buffer?: EagerBuffer) => new OperatorHarness(suppressChanges('held', untilTimeLimit(limitMs, buffer), codecs));
const newValues = (records: readonly StreamRecord<string, Change<string>>[]): readonly (string | null)[] => records.map(({ value }) => value.newValue);
const errorsOf = (running: { readonly failures: readonly { readonly error: unknown }[] }): readonly unknown[] =>
  running.failures.map(({ error }) => (error instanceof VoltstreamError ? error.code : error));

describe('suppress until a time limit', () => {
  it('sends the last change of a key when stream time is the limit behind the first, with what was told before as its old value', () => {
    const running = held(10);
    running.push(change(0, 'a', 'v0', 'told'), change(9, 'a', 'v1', 'v0'), change(5, 'a', 'v2', 'v1'));
    expect(running.take()).toEqual([]);
    running.push(change(10, 'b', 'w0'));
    expect(running.take()).toEqual([change(5, 'a', 'v2', 'told')]);
  });

  it('sends what is due together in the order of (time of the first change, key bytes), also after a restart', () => {
    const running = held(10);
    running.push(change(2, '\u{1F600}', 'late first'), change(2, '\uFFFD', 'x'), change(1, 'z', 'y'), change(9, 'z', 'y again'));
    running.restart();
    running.push(change(3, '\uFFFD', 'x again'), change(50, 'last', 'now'));
    expect(newValues(running.take())).toEqual(['y again', 'x again', 'late first']);
  });

  it('sends at once with a limit of 0, and deletions like other changes', () => {
    const running = held(0);
    running.push(change(5, 'a', 'v0'), change(7, 'a', null, 'v0'), change(3, 'b', 'old'));
    expect(running.take()).toEqual([change(5, 'a', 'v0'), change(7, 'a', null, 'v0'), change(3, 'b', 'old')]);
  });

  it('sends what is due when its sources are idle', () => {
    const running = held(10);
    running.push(change(5, 'a', 'v0'), change(6, 'b', 'w0'));
    running.idle(15);
    expect(newValues(running.take())).toEqual(['v0']);
  });

  it('lets go of what has waited longest when it may hold no more records', () => {
    const running = held(1_000, { maxRecords: 2 });
    running.push(change(5, 'b', 'b0'), change(5, 'a', 'a0'), change(6, 'b', 'b1'));
    expect(running.take()).toEqual([]);
    running.restart();
    running.push(change(4, 'c', 'c0'), change(9, 'd', 'd0'));
    expect(newValues(running.take())).toEqual(['c0', 'a0']);
  });

  it('lets go of what has waited longest when it may hold no more bytes', () => {
    const running = held(1_000, { maxBytes: 90 });
    running.push(change(5, 'b', 'x'.repeat(20)), change(6, 'a', 'y'.repeat(20)));
    expect(newValues(running.take())).toEqual(['x'.repeat(20)]);
    running.restart();
    running.push(change(7, 'a', 'y'.repeat(200)));
    expect(newValues(running.take())).toEqual(['y'.repeat(200)]);
  });

  it('fails with BUFFER_FULL when it may hold no more and must not send early', () => {
    const running = held(1_000, { maxRecords: 1, whenFull: 'stop' });
    running.push(change(5, 'a', 'v0'), change(6, 'a', 'v1'));
    expect(errorsOf(running)).toEqual([]);
    running.push(change(7, 'b', 'w0'));
    expect(errorsOf(running)).toEqual(['BUFFER_FULL']);
    expect(String(running.failures[0]?.error)).toMatch(/step "held".*at most 1 records.*2 records/s);
  });

  it.each([{ maxRecords: 0 }, { maxBytes: 1.5 }])('refuses %o', (buffer) => {
    expect(() => untilTimeLimit(1, buffer)).toThrow(/TOPOLOGY_INVALID/);
    expect(() => untilWindowCloses(buffer)).toThrow(/TOPOLOGY_INVALID/);
  });

  it('refuses a limit that is no length of time', () => {
    expect(() => untilTimeLimit(-1)).toThrow(/TOPOLOGY_INVALID/);
  });
});

describe('suppress until the window closes', () => {
  const windowed = (startMs: number, endMs: number, value: string | null, key = 'a', timestampMs = endMs): StreamRecord<Windowed<string>, string | null> => ({
    key: { key, startMs, endMs }, value, timestampMs,
  });
  const untilClosed = (buffer?: StrictBuffer) =>
    new OperatorHarness(suppressWindows('held', untilWindowCloses(buffer), { key: utf8, aggregate: text, closesAfterMs: 5 }));

  it('sends each window once, when stream time reaches its close, in the order of its end and then of key bytes', () => {
    const running = untilClosed();
    running.push(windowed(0, 10, 'v0', '\u{1F600}', 3), windowed(0, 10, 'v1', '\u{1F600}', 7), windowed(0, 10, 'w', '\uFFFD', 8), windowed(0, 9, 'x', 'z', 9));
    expect(running.take()).toEqual([]);
    running.restart();
    running.push(windowed(10, 20, 'n', 'a', 15));
    expect(running.take()).toEqual([windowed(0, 9, 'x', 'z', 9), windowed(0, 10, 'w', '\uFFFD', 8), windowed(0, 10, 'v1', '\u{1F600}', 7)]);
  });

  it('never shows what was taken back, and keeps what has the same end', () => {
    const running = untilClosed();
    running.push(windowed(7, 7, 'v0'), windowed(10, 10, 'v1'), windowed(7, 7, null), windowed(10, 10, null), windowed(5, 10, 'v2'), windowed(9, 10, null));
    running.idle(15);
    expect(running.take()).toEqual([windowed(5, 10, 'v2')]);
  });

  it('counts bytes again after a restart, and gives back what has left', () => {
    const running = untilClosed({ maxBytes: 80 });
    running.push(windowed(0, 10, 'x'.repeat(20)));
    running.restart();
    running.push(windowed(0, 10, 'y'.repeat(20)), windowed(20, 30, 'z'.repeat(20)), windowed(20, 30, null), windowed(30, 40, 'z'.repeat(20)));
    expect(errorsOf(running)).toEqual([]);
    running.push(windowed(31, 40, 'z'.repeat(20), 'b'));
    expect(errorsOf(running)).toEqual(['BUFFER_FULL']);
  });
});
