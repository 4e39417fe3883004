import { VoltstreamError } from '../../../errors.ts';
import type { ReferenceFile } from '../reference-file.ts';
import type { ReferenceFormat } from '../reference-row.ts';
import { afdc } from './afdc.ts';
import { allego, bundesnetzagentur } from './bundesnetzagentur.ts';
import { globalStations } from './global-stations.ts';
import { openChargeMap } from './open-charge-map.ts';
import { outageExclusions } from './outage-exclusions.ts';
import { ocpiTariffs } from './ocpi-tariffs.ts';
import { openEvData, openEvDataset } from './open-ev-data.ts';
import { ownStations } from './own-stations.ts';
import { ownTariffs } from './own-tariffs.ts';
import { ownVehicles } from './own-vehicles.ts';

/** All forms of reference data, in the order in which help and messages name them. */
export const referenceFormats: readonly ReferenceFormat[] = [
  afdc, bundesnetzagentur, allego, openChargeMap, globalStations, openEvData, openEvDataset, outageExclusions,
  ownStations, ownVehicles, ownTariffs, ocpiTariffs,
];

const names = (): string => referenceFormats.map(({ name }) => name).join(', ');

/** The form of a name; throws CONFIGURATION_INVALID. */
export function formatNamed(name: string): ReferenceFormat {
  const found = referenceFormats.find((format) => format.name === name);
  if (found !== undefined) return found;
  throw new VoltstreamError('CONFIGURATION_INVALID', 'there is no such form of reference data', { wanted: names(), got: name });
}

/** The one form that recognises a file; throws CONFIGURATION_INVALID when none or several do. */
export function formatOf(file: ReferenceFile): ReferenceFormat {
  const found = referenceFormats.filter((format) => format.recognises(file));
  if (found.length === 1 && found[0] !== undefined) return found[0];
  throw new VoltstreamError('CONFIGURATION_INVALID', found.length === 0 ? 'no form of reference data recognises the file' : 'several forms recognise the file', {
    where: file.name, wanted: names(), got: found.length === 0 ? file.text.slice(0, 120) : found.map(({ name }) => name).join(', '),
    cure: 'Name the form with --format.',
  });
}
