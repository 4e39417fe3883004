import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { VoltstreamError } from '../../errors.ts';
import { createLogger } from '../logger.ts';
import { Outages } from './outages.ts';

function listening(): { readonly outages: Outages; readonly lines: { readonly msg: string; readonly failures?: number }[] } {
  const lines: { msg: string; failures?: number }[] = [];
  const logger = createLogger({ level: 'info', destination: { write: (line: string) => void lines.push(JSON.parse(line)) } });
  return { outages: new Outages(logger, () => Date.now()), lines };
}

const full = new VoltstreamError('DISK_FULL', 'no room');

describe('Outages', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('tells a failure once, however many tasks meet it, and another kind beside it', () => {
    const { outages, lines } = listening();
    for (let failure = 0; failure < 1_000; failure++) outages.failed('commit', full);
    outages.failed('insert', new VoltstreamError('WAREHOUSE_UNAVAILABLE', 'no answer'));
    expect(lines.map((line) => line.msg)).toEqual([
      'failed, and will be tried again: DISK_FULL', 'failed, and will be tried again: WAREHOUSE_UNAVAILABLE',
    ]);
  });

  it('tells it again every minute while it lasts, and when it is over', () => {
    const { outages, lines } = listening();
    for (let second = 0; second < 70; second += 10) {
      outages.failed('commit', full);
      vi.advanceTimersByTime(10_000);
    }
    vi.advanceTimersByTime(20_000);
    expect(lines.map(({ msg, failures }) => [msg, failures])).toEqual([
      ['failed, and will be tried again: DISK_FULL', undefined], ['still failing, and tried again: DISK_FULL', 7], ['over: DISK_FULL', 7],
    ]);
  });
});
