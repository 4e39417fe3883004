import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { schemaModuleText } from './schema-source-text.ts';

/**
 * `npm run types`: makes `generated/<record>.ts` from the newest `avro/<record>.v<n>.avsc` of each record. With `--check` it
 * writes nothing and exits 1 when a generated file is missing, differs or has no schema.
 */

const avroFolder = new URL('avro/', import.meta.url);
const generatedFolder = new URL('generated/', import.meta.url);

/** Record name to the file with its highest version. */
function newestSchemas(): Map<string, string> {
  const newest = new Map<string, { readonly version: number; readonly file: string }>();
  for (const file of readdirSync(avroFolder).sort()) {
    const parts = /^([a-z-]+)\.v(\d+)\.avsc$/.exec(file);
    if (parts === null) throw new Error(`${file} in schemas/avro is not named <record>.v<n>.avsc`);
    const [, record, version] = parts as unknown as [string, string, string];
    if (Number(version) > (newest.get(record)?.version ?? 0)) newest.set(record, { version: Number(version), file });
  }
  return new Map([...newest].map(([record, { file }]) => [record, file]));
}

/** File name in `generated/` to its text. */
export function generatedModules(): Map<string, string> {
  const modules = new Map<string, string>();
  for (const [record, file] of newestSchemas()) {
    const schema = JSON.parse(readFileSync(new URL(file, avroFolder), 'utf8')) as Record<string, unknown>;
    modules.set(`${record}.ts`, schemaModuleText(schema, file));
  }
  return modules;
}

/** Names of generated files that are not what the schemas say: changed, missing, or left over. */
export function staleModules(): readonly string[] {
  mkdirSync(generatedFolder, { recursive: true });
  const present = new Set(readdirSync(generatedFolder));
  const modules = generatedModules();
  const leftOver = [...present].filter((file) => !modules.has(file));
  const changed = [...modules].filter(
    ([file, text]) => !present.has(file) || readFileSync(new URL(file, generatedFolder), 'utf8') !== text,
  );
  return [...changed.map(([file]) => file), ...leftOver].sort();
}

function main(): void {
  const stale = staleModules();
  if (process.argv.includes('--check')) {
    for (const file of stale) console.error(`schemas/generated/${file} is not what schemas/avro says: npm run types`);
    process.exitCode = stale.length === 0 ? 0 : 1;
    return;
  }
  const modules = generatedModules();
  for (const file of stale) {
    const text = modules.get(file);
    if (text === undefined) {
      console.error(`schemas/generated/${file} has no schema in schemas/avro: delete it`);
      process.exitCode = 1;
    } else {
      writeFileSync(new URL(file, generatedFolder), text);
      console.log(`schemas/generated/${file}`);
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
