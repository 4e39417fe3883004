import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of the session logs that are shipped with the product, in a fixed order. */
export function dundeeFiles(): readonly string[] {
  const folder = join(import.meta.dirname, '..', 'data', 'dundee');
  return readdirSync(folder).filter((name) => name.endsWith('.csv.gz')).sort().map((name) => join(folder, name));
}
