/**
 * Writes TypeScript for an Avro schema: interfaces, unions of enum symbols, and the form constant with the schema inlined.
 * Pure text in, text out; `generate-types.ts` does the files.
 */

const lineWidth = 130;

interface NamedSchema {
  readonly type: string;
  readonly name: string;
  readonly doc?: string;
  readonly symbols?: readonly string[];
  readonly fields?: readonly FieldSchema[];
}

interface FieldSchema {
  readonly name: string;
  readonly type: unknown;
  readonly doc?: string;
}

const primitives: Readonly<Record<string, string>> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  string: 'string',
  bytes: 'Buffer',
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unqualified(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** The TypeScript type of a schema; named ones are put into `declared`, inner ones first. */
function typeText(schema: unknown, declared: Map<string, string>): string {
  if (typeof schema === 'string') return primitives[schema] ?? unqualified(schema);
  if (Array.isArray(schema)) return unionText(schema, declared);
  if (!isObject(schema)) throw new Error(`not a schema: ${JSON.stringify(schema)}`);
  switch (schema['type']) {
    case 'array': {
      const items = typeText(schema['items'], declared);
      return `readonly ${items.includes(' ') ? `(${items})` : items}[]`;
    }
    case 'map':
      return `Readonly<Record<string, ${typeText(schema['values'], declared)}>>`;
    case 'fixed':
      return 'Buffer';
    case 'enum':
      return declareEnum(schema as unknown as NamedSchema, declared);
    case 'record':
      return declareRecord(schema as unknown as NamedSchema, declared);
    default:
      return typeText(schema['type'], declared);
  }
}

/** Null last, as people write it. */
function unionText(branches: readonly unknown[], declared: Map<string, string>): string {
  const texts = branches.map((branch) => typeText(branch, declared));
  return [...texts.filter((text) => text !== 'null'), ...texts.filter((text) => text === 'null')].join(' | ');
}

function docText(doc: string | undefined, indent: string): string {
  return doc === undefined ? '' : `${indent}/** ${doc.replaceAll('*/', '* /')} */\n`;
}

function declareEnum(schema: NamedSchema, declared: Map<string, string>): string {
  const name = unqualified(schema.name);
  const constant = `${lowerFirst(name)}Symbols`;
  const symbols = literalText(schema.symbols ?? [], '', `export const ${constant} =  as const;`.length);
  declared.set(name, `${docText(schema.doc, '')}export const ${constant} = ${symbols} as const;\nexport type ${name} = (typeof ${constant})[number];\n`);
  return name;
}

function declareRecord(schema: NamedSchema, declared: Map<string, string>): string {
  const name = unqualified(schema.name);
  const fields = (schema.fields ?? []).map(
    (field) => `${docText(field.doc, '  ')}  readonly ${field.name}: ${typeText(field.type, declared)};\n`,
  );
  declared.set(name, `${docText(schema.doc, '')}export interface ${name} {\n${fields.join('')}}\n`);
  return name;
}

/** A value as a TypeScript literal: on one line where it fits, else broken up. */
function literalText(value: unknown, indent: string, used: number): string {
  const flat = flatText(value);
  if (flat.length + used <= lineWidth || typeof value !== 'object' || value === null) return flat;
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const lines = value.map((item: unknown) => `${inner}${literalText(item, inner, inner.length + 1)},\n`);
    return `[\n${lines.join('')}${indent}]`;
  }
  const lines = Object.entries(value).map(([key, item]) => {
    const start = `${inner}${keyText(key)}: `;
    return `${start}${literalText(item, inner, start.length + 1)},\n`;
  });
  return `{\n${lines.join('')}${indent}}`;
}

function flatText(value: unknown): string {
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
  if (Array.isArray(value)) return `[${value.map(flatText).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, item]) => `${keyText(key)}: ${flatText(item)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

function keyText(key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) ? key : flatText(key);
}

/** Docs are in the types; the schema that is sent to a registry does without them. */
function withoutDocs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDocs);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([key, item]) => key !== 'doc' || typeof item !== 'string');
  return Object.fromEntries(entries.map(([key, item]) => [key, key === 'default' ? item : withoutDocs(item)]));
}

/** The whole file for one record schema. `source` is the name of the .avsc file. */
export function schemaModuleText(schema: Record<string, unknown>, source: string): string {
  const declared = new Map<string, string>();
  const name = declareRecord(schema as unknown as NamedSchema, declared);
  const namespace = schema['namespace'];
  const fullName = typeof namespace === 'string' ? `${namespace}.${name}` : name;
  const start = '  schema: ';
  return [
    `// Made from avro/${source} by \`npm run types\`. Change that file, not this one.\n`,
    `import type { RegisteredForm } from '../codec.ts';\n`,
    ...declared.values(),
    `/** Form of \`${fullName}\`, version ${/\.v(\d+)\.avsc$/.exec(source)?.[1] ?? '?'}. */\n` +
      `export const ${lowerFirst(name)}: RegisteredForm<${name}> = {\n` +
      `  kind: 'registered',\n  name: '${fullName}',\n${start}${literalText(withoutDocs(schema), '  ', start.length + 1)},\n};\n`,
  ].join('\n');
}
