import { numberOf } from '../csv-rows.ts';
import { readElements } from '../json-elements.ts';
import type { JsonElement } from '../json-elements.ts';
import type { ReferenceRow, VehicleFacts, VehicleFormat } from '../reference-row.ts';
import { UnusableRow } from '../reference-row.ts';
import { listOf, looksLikeJson, ownElements, refuseOthers, validFromOf } from './own-json.ts';

const fields = ['model', 'vehicleClass', 'batteryWh', 'acPowerMaxW', 'dcPowerMaxW', 'chargeCurve', 'validFromMs', 'validFrom'];

/** Vehicle models as the topic has them, by the names of its schema: a JSON array, or one object a line. */
export const ownVehicles: VehicleFormat = {
  kind: 'vehicles',
  name: 'vehicles',
  title: 'Vehicle models of your own, by the names of the topic',
  attribution: 'your own',
  recognises: (file) => looksLikeJson(file, ['"model"']) && fields.slice(1, 6).some((field) => looksLikeJson(file, [`"${field}"`])),
  read: (files) => files.flatMap((file) => {
    const { elements, bad } = ownElements(file, 'vehicles');
    return [...bad, ...readElements(elements, vehicleRow)];
  }),
};

function vehicleRow(element: JsonElement): ReferenceRow<VehicleFacts> {
  refuseOthers(element, fields);
  const id = element.needed('model');
  const validFromMs = validFromOf(element);
  const chargeCurve = listOf(element, 'chargeCurve', (point) => {
    refuseOthers(point, ['soc', 'powerW']);
    return { soc: numberOf('soc', point.needed('soc'), 0, 100), powerW: numberOf('powerW', point.needed('powerW'), 0, 5_000_000) };
  });
  if (chargeCurve.some(({ soc }, index) => index > 0 && soc <= (chargeCurve[index - 1]?.soc ?? 0))) throw new UnusableRow('chargeCurve', 'its states of charge do not ascend');
  return {
    kind: 'facts', file: element.file, line: element.line, id, sinceMs: null, sourceMs: null, ...(validFromMs === undefined ? {} : { validFromMs }),
    facts: {
      model: id, vehicleClass: element.text('vehicleClass'), batteryWh: element.number('batteryWh', 0, 10_000_000),
      acPowerMaxW: element.number('acPowerMaxW', 0, 1_000_000), dcPowerMaxW: element.number('dcPowerMaxW', 0, 5_000_000), chargeCurve,
    },
  };
}
