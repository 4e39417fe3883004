import * as fc from 'fast-check';

/** Any value of an Avro schema, for property tests: every branch, every symbol, the bounds of every number. */
export function arbitraryOf(schema: unknown): fc.Arbitrary<unknown> {
  if (typeof schema === 'string') return primitive(schema);
  if (Array.isArray(schema)) return fc.oneof(...schema.map(arbitraryOf));
  const { type, symbols, items, values, fields } = schema as {
    readonly type: unknown;
    readonly symbols?: readonly string[];
    readonly items?: unknown;
    readonly values?: unknown;
    readonly fields?: readonly { readonly name: string; readonly type: unknown }[];
  };
  switch (type) {
    case 'enum':
      return fc.constantFrom(...(symbols ?? []));
    case 'array':
      return fc.array(arbitraryOf(items), { maxLength: 4 });
    case 'map':
      return fc.dictionary(fc.string(), arbitraryOf(values), { maxKeys: 4 });
    case 'record':
      return fc.record(Object.fromEntries((fields ?? []).map((field) => [field.name, arbitraryOf(field.type)])));
    default:
      return arbitraryOf(type);
  }
}

function primitive(name: string): fc.Arbitrary<unknown> {
  switch (name) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'int':
      return fc.integer();
    case 'long':
      return fc.oneof(fc.integer(), fc.maxSafeInteger().map((value) => Math.trunc(value / 2) + 0));
    case 'double':
      return fc.double();
    case 'string':
      return fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 80 }));
    case 'bytes':
      return fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes));
    default:
      throw new Error(`no values for schema ${name}`);
  }
}
