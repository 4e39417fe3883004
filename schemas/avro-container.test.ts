import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import avsc from 'avsc';
import { afterAll, describe, expect, it } from 'vitest';
import { typeOfForm } from './avro-codec.ts';
import { AvroContainer, containerBlockBytes } from './avro-container.ts';
import { vehicle } from './generated/vehicle.ts';
import type { Vehicle } from './generated/vehicle.ts';

const folder = mkdtempSync(join(tmpdir(), 'voltstream-container-'));
afterAll(() => rmSync(folder, { recursive: true }));

const values = (count: number): readonly Vehicle[] => Array.from({ length: count }, (_, at) => ({
  model: `Model ${at}`, vehicleClass: at % 2 === 0 ? null : 'car', batteryWh: at, acPowerMaxW: null, dcPowerMaxW: null, chargeCurve: [{ soc: 1, powerW: at }], validFromMs: at,
}));

function written(all: readonly Vehicle[], mark = 'm'): Buffer {
  const container = new AvroContainer(vehicle, mark);
  const blocks = all.map((value) => container.add(typeOfForm(vehicle).toBuffer(value)));
  return Buffer.concat([container.header(), ...[...blocks, container.end()].filter((block) => block !== null)]);
}

async function read(bytes: Uint8Array): Promise<readonly unknown[]> {
  const path = join(folder, 'file.avro');
  writeFileSync(path, bytes);
  const found: unknown[] = [];
  for await (const value of avsc.createFileDecoder(path)) found.push({ ...(value as Vehicle) });
  return found;
}

describe('an Avro object container file', () => {
  it.each([0, 1, 3, 20_000])('of %i values is read by avsc as it was written', async (count) => {
    const bytes = written(values(count));
    if (count === 20_000) expect(bytes.length).toBeGreaterThan(2 * containerBlockBytes);
    expect(JSON.stringify(await read(bytes))).toBe(JSON.stringify(values(count)));
  });

  it('has the same bytes for the same content and mark', () => {
    expect(written(values(5))).toEqual(written(values(5)));
    expect(written(values(5), 'other')).not.toEqual(written(values(5)));
  });
});
