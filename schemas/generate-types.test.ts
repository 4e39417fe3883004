import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { avroType } from './avro-types.ts';
import { generatedModules, staleModules } from './generate-types.ts';
import { chargingSession } from './generated/charging-session.ts';
import { schemaModuleText } from './schema-source-text.ts';

describe('npm run types', () => {
  it('has been run: the generated files are what the .avsc files say', () => {
    expect(staleModules()).toEqual([]);
    expect(generatedModules().size).toBe(readdirSync(new URL('generated/', import.meta.url)).length);
  });

  it('writes readonly interfaces, unions of symbols, docs, and the form with its schema', () => {
    const schema = {
      type: 'record',
      name: 'Reading',
      namespace: 'example',
      doc: 'One reading.',
      fields: [
        { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] }, doc: 'Which.' },
        { name: 'wh', type: ['null', 'double'], default: null },
        { name: 'tags', type: { type: 'array', items: ['null', 'string'] } },
        { name: 'raw', type: { type: 'map', values: 'bytes' } },
        { name: 'inner', type: { type: 'record', name: 'Inner', fields: [{ name: 'again', type: 'Kind' }] } },
      ],
    };
    expect(schemaModuleText(schema, 'reading.v3.avsc')).toBe(`// Made from avro/reading.v3.avsc by \`npm run types\`. Change that file, not this one.

import type { RegisteredForm } from '../codec.ts';

export const kindSymbols = ['A', 'B'] as const;
export type Kind = (typeof kindSymbols)[number];

export interface Inner {
  readonly again: Kind;
}

/** One reading. */
export interface Reading {
  /** Which. */
  readonly kind: Kind;
  readonly wh: number | null;
  readonly tags: readonly (string | null)[];
  readonly raw: Readonly<Record<string, Buffer>>;
  readonly inner: Inner;
}

/** Form of \`example.Reading\`, version 3. */
export const reading: RegisteredForm<Reading> = {
  kind: 'registered',
  name: 'example.Reading',
  schema: {
    type: 'record',
    name: 'Reading',
    namespace: 'example',
    fields: [
      { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
      { name: 'wh', type: ['null', 'double'], default: null },
      { name: 'tags', type: { type: 'array', items: ['null', 'string'] } },
      { name: 'raw', type: { type: 'map', values: 'bytes' } },
      { name: 'inner', type: { type: 'record', name: 'Inner', fields: [{ name: 'again', type: 'Kind' }] } },
    ],
  },
};
`);
  });

  it('keeps a field called doc, and text with quotes', () => {
    const schema = { type: 'record', name: 'R', fields: [{ name: 'doc', type: 'string', default: "it's", doc: 'The doc.' }] };
    const text = schemaModuleText(schema, 'r.v1.avsc');
    expect(text).toContain("{ name: 'doc', type: 'string', default: 'it\\'s' }");
    expect(text).toContain('  /** The doc. */\n  readonly doc: string;');
  });

  it('inlines schemas that are valid Avro', () => {
    expect(avroType(chargingSession.schema).name).toBe('voltstream.ChargingSession');
  });
});
