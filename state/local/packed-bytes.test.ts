import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PackedBytes } from './packed-bytes.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';

describe('PackedBytes', () => {
  it('holds what a Map holds, whatever comes and goes, and no more room than its pieces need', () => {
    const call = fc.oneof(
      fc.record({ length: fc.oneof(fc.nat(40), fc.constantFrom(0, 30_000, 65_524, 65_525, 200_000)), note: fc.double() }),
      fc.record({ remove: fc.nat(30) }),
    );
    fc.assert(fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
      const packed = new PackedBytes();
      const model = new Map<number, { readonly bytes: Uint8Array; readonly note: number }>();
      calls.forEach((one, index) => {
        if ('remove' in one) {
          const place = [...model.keys()][one.remove];
          if (place === undefined) return;
          packed.remove(place);
          model.delete(place);
          return;
        }
        const bytes = new Uint8Array(one.length).fill(index);
        const place = packed.put(bytes, one.note);
        expect(model.has(place)).toBe(false);
        model.set(place, { bytes, note: one.note });
      });
      for (const [place, { bytes, note }] of model) {
        expect(packed.noteAt(place)).toBe(note);
        expect(Buffer.compare(packed.bytesAt(place), bytes)).toBe(0);
      }
      expect(packed.heldBytes).toBe([...model.values()].reduce((sum, { bytes }) => sum + Math.ceil((bytes.length + 12) / 8) * 8, 0));
      if (model.size === 0) expect(packed.roomBytes).toBe(0);
    }), propertyRuns());
  });

  it('says when more than half of what it has room for is holes', () => {
    const packed = new PackedBytes();
    const places = Array.from({ length: 20_000 }, (_, index) => packed.put(new Uint8Array(100), index));
    expect(packed.isWasteful).toBe(false);
    for (const place of places) if (packed.noteAt(place) % 3 > 0) packed.remove(place);
    expect(packed.isWasteful).toBe(true);
  });
});
