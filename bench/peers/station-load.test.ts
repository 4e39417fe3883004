import { describe, expect, it } from 'vitest';
import { stationLoad, together, windowedKeyOf, withPower, nothing } from './station-load.ts';

describe('the bytes that both sides write', () => {
  it('have count, energy and peak big endian, then the city, as Java writes them', () => {
    const bytes = stationLoad.encode({ count: 2 ** 32 + 7, energyWh: 1.5, peakW: 11_000, city: 'Köln' });
    expect(Buffer.from(bytes).toString('hex')).toBe(`${'0000000100000007'}${'3ff8000000000000'}${'40c57c0000000000'}${'4bc3b66c6e'}`);
    expect(stationLoad.decode(bytes)).toEqual({ count: 2 ** 32 + 7, energyWh: 1.5, peakW: 11_000, city: 'Köln' });
  });

  it('have the start behind the key of a window, and the end in front of the start for a session, as Kafka Streams writes them', () => {
    const key = { key: 's', startMs: 1_742_796_000_000, endMs: 1_742_796_060_000 };
    expect(Buffer.from(windowedKeyOf('time', 60_000).encode(key)).toString('hex')).toBe('7300000195c6bc8b00');
    expect(Buffer.from(windowedKeyOf('session', 60_000).encode(key)).toString('hex')).toBe('7300000195c6bd756000000195c6bc8b00');
    for (const kind of ['time', 'session'] as const) expect(windowedKeyOf(kind, 60_000).decode(windowedKeyOf(kind, 60_000).encode(key))).toEqual(key);
  });
});

describe('the load of a station', () => {
  it('takes a meter value for the energy of ten seconds, and keeps the highest power', () => {
    const one = withPower(withPower(nothing, 3_600, 'Oslo'), null, 'Oslo');
    expect(one).toEqual({ count: 2, energyWh: 10, peakW: 3_600, city: 'Oslo' });
    expect(together(one, { ...nothing, count: 1, peakW: 7_200 })).toEqual({ count: 3, energyWh: 10, peakW: 7_200, city: 'Oslo' });
  });
});
