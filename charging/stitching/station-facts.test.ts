import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { station, ten } from '../testing/events.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { factsOf, tellsMore } from './station-facts.ts';

describe('facts of a station', () => {
  it('are those of the connector, as far as the station names it', () => {
    expect(factsOf(station, 1, 1)).toMatchObject({ siteId: 'Site', timeZone: 'Europe/London', current: 'AC', powerMaxW: 22_000, scope: 'session' });
    expect(factsOf(station, 1, 2)).toMatchObject({ siteId: 'Site', current: null, powerMaxW: null });
    expect(factsOf(station, 3, 1)).toMatchObject({ connectorStandard: null, powerMaxW: null, validFromMs: station.validFromMs });
  });

  it('come from the version in force, else from the first one, in whatever order versions are told', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1 }), (offsets) => {
      const versions = offsets.map((offset) => ten + offset);
      const chosen = versions.reduce((best, version) => (tellsMore(version, best, ten) ? version : best));
      const inForce = versions.filter((version) => version <= ten);
      expect(chosen).toBe(inForce.length > 0 ? Math.max(...inForce) : Math.min(...versions));
    }), propertyRuns());
  });
});
