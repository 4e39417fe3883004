import { describe, expect, it } from 'vitest';
import { loadConfiguration } from './configuration.ts';
import { podIdOf } from './pod.ts';

const idOf = (flags: Record<string, unknown>, environment: Record<string, string>): string =>
  podIdOf(loadConfiguration({ flags }), { environment, host: 'machine', random: 'a1b2' });

describe('the name of a pod', () => {
  it('is the setting, else POD_NAME, else the host with something random', () => {
    expect(idOf({ 'pod.id': 'blue-1' }, { POD_NAME: 'city-0' })).toBe('blue-1');
    expect(idOf({}, { POD_NAME: 'city-0' })).toBe('city-0');
    expect(idOf({}, { POD_NAME: '' })).toBe('machine-a1b2');
    expect(podIdOf(loadConfiguration())).not.toBe(podIdOf(loadConfiguration()));
  });
});
