import { acnMapping } from './acn.mapping.ts';
import { boulderMapping, boulderOlderMapping } from './boulder.mapping.ts';
import { dundeeMapping } from './dundee.mapping.ts';
import { kagglePatternsMapping } from './kaggle-patterns.mapping.ts';
import type { SessionLogMapping } from './mapping.ts';
import { norwayMapping } from './norway.mapping.ts';
import { perthMapping } from './perth.mapping.ts';
import { workplaceMapping } from './workplace.mapping.ts';

/** Every mapping that comes with the product, by name. */
export const shippedMappings: readonly SessionLogMapping[] = [
  acnMapping, boulderMapping, boulderOlderMapping, dundeeMapping, kagglePatternsMapping, norwayMapping, perthMapping, workplaceMapping,
];

/** Names of the columns that a file must have for the mapping. */
export function columnsNeeded(mapping: SessionLogMapping): readonly string[] {
  const { columns } = mapping;
  const times = [columns.start, columns.stop].flatMap((time) => ('after' in time ? [time.after] : time.columns));
  const checked = (mapping.checks ?? []).flatMap((check) => {
    if (check.kind === 'ascending') return check.of.filter((part) => typeof part === 'string');
    return check.kind === 'present' ? check.columns : [check.column];
  });
  const single = [
    columns.id, columns.connector, columns.energy.column, columns.site, columns.model, columns.idToken, columns.vehicleModel,
    columns.socFrom ?? null, columns.socTo ?? null,
  ].filter((column) => column !== null);
  const stations = typeof columns.station === 'string' ? [columns.station] : columns.station;
  return [...new Set([...single, ...stations, ...times, ...checked])].filter((column) => !mapping.optional.includes(column));
}
