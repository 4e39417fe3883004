import { readFile } from 'node:fs/promises';
import { mappingOf } from '../charging/session-log/mapping-form.ts';
import type { SessionLogMapping } from '../charging/session-log/mapping.ts';
import { columnsNeeded, shippedMappings } from '../charging/session-log/mappings.ts';
import { VoltstreamError } from '../errors.ts';
import { readYaml } from '../runtime/configuration/yaml-document.ts';

/** `--mapping`: the name of a mapping that comes with the product, or a YAML or JSON file with one's own. */
export async function mappingNamed(argument: string): Promise<SessionLogMapping> {
  const shipped = shippedMappings.find((mapping) => mapping.name === argument);
  if (shipped !== undefined) return shipped;
  const names = shippedMappings.map((mapping) => mapping.name);
  if (!/\.(ya?ml|json)$/.test(argument)) {
    throw new VoltstreamError('CONFIGURATION_INVALID', 'there is no mapping of this name', {
      where: '--mapping', wanted: `one of ${names.join(', ')}, or a file that ends with .yaml, .yml or .json`, got: argument,
      cure: 'See voltstream ingest --mappings, or write a mapping of your own (docs/session-logs.md).',
    });
  }
  const read = readYaml(await textOf(argument));
  if ('problem' in read) {
    throw new VoltstreamError('CONFIGURATION_INVALID', 'the mapping is not YAML or JSON', {
      where: argument, got: read.problem, cure: 'Correct the file at the line that is named.',
    });
  }
  const mapping = mappingOf(read.value, argument);
  if (!names.includes(mapping.name)) return mapping;
  throw new VoltstreamError('CONFIGURATION_INVALID', 'the name belongs to a mapping that comes with voltstream', {
    where: `${argument}: name`, wanted: 'another name', got: mapping.name, cure: 'Rename it: what was taken is remembered under this name.',
  });
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new VoltstreamError('CONFIGURATION_INVALID', 'the mapping cannot be read', { where: path, got: code, cure: 'Check the path.', cause: error });
  }
}

/** The shipped mappings for people: name, title, zone and the columns that a file must have. */
export function mappingsText(): string {
  return shippedMappings.map((mapping) => {
    const { name, title, zone, attribution } = mapping;
    return `${name.padEnd(16)} ${title}\n${' '.repeat(17)}times ${zone}; columns ${columnsNeeded(mapping).join(', ')}\n${' '.repeat(17)}${attribution}\n`;
  }).join('');
}

/** The shipped mappings whose columns are all in a header line. */
export function mappingsThatFit(header: string): readonly string[] {
  return shippedMappings
    .filter((mapping) => {
      const names = header.replace(/^\uFEFF/, '').split(mapping.delimiter).map((name) => name.trim().replace(/^"(.*)"$/, '$1'));
      return columnsNeeded(mapping).every((column) => names.includes(column) || column.startsWith('#'));
    })
    .map((mapping) => mapping.name);
}
