import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { SessionLogMapping } from '../../charging/session-log/mapping.ts';
import { outletOf, readSessionLogs } from '../../charging/session-log/read-session-log.ts';
import { VoltstreamError } from '../../errors.ts';
import type { FittedSession } from '../../simulator/fitting/fit-profile.ts';
import { fitProfile } from '../../simulator/fitting/fit-profile.ts';
import { readProfile } from '../../simulator/read-profile.ts';
import { thousands } from '../progress.ts';
import { mappingNamed } from '../session-log-mapping.ts';

/** Of outlets of which the mapping says nothing: what public ones for alternating current have. */
const UNKNOWN_OUTLET_W = 22_000;

export interface FitOptions {
  readonly files: readonly string[];
  readonly mapping: string | null;
  /** Where the profile goes. */
  readonly out: string | null;
  readonly force: boolean;
  readonly json: boolean;
}

/** Learns a profile from session logs, as `ingest --mapping` reads them, and writes it as a file for `--profile`. */
export async function fit({ files, mapping: name, out, force, json }: FitOptions): Promise<void> {
  if (name === null) throw missing('--mapping', 'the mapping by which the files are read (ingest --mappings)');
  if (out === null || !out.endsWith('.json')) throw missing('--out', 'a file that ends with .json', out ?? 'nothing');
  if (existsSync(out) && !force) throw missing('--out', 'a new file', 'one that is there', 'Name another file, or write over it with --force.');
  const mapping = await mappingNamed(name);
  const sessions = await sessionsOf(files, mapping);
  if (sessions.length === 0) throw missing('--fit', 'sessions with start, stop and energy', 'none');
  const { profile, taken, left } = fitProfile(sessions, {
    name: `${mapping.name}-fitted`, description: `Fitted to ${thousands(sessions.length)} sessions: ${mapping.title}.`, operator: mapping.operator ?? mapping.name,
    city: mapping.city ?? 'Somewhere', country: mapping.country ?? 'XX', timeZone: mapping.zone,
  });
  await writeFile(out, `${JSON.stringify(profile)}\n`);
  readProfile(out);
  process.stdout.write(json ? `${JSON.stringify({ out, taken, left })}\n` : `${out}: fitted to ${thousands(taken)} sessions${left === 0 ? '' : `; ${thousands(left)} were of no use`}\n`);
}

async function sessionsOf(files: readonly string[], mapping: SessionLogMapping): Promise<readonly FittedSession[]> {
  const sessions: FittedSession[] = [];
  for await (const row of readSessionLogs(files, mapping)) {
    if (row.kind === 'quarantined' || row.startMs === null || row.stopMs === null || row.energyWh === null) continue;
    const { stationId, connectorId, startMs, stopMs, energyWh, model } = row;
    const outlet = mapping.stations?.[stationId] ?? outletOf(mapping, model) ?? { current: 'AC', powerMaxW: UNKNOWN_OUTLET_W, standard: null };
    sessions.push({ stationId, connectorId, startMs, stopMs, energyWh, outlet });
  }
  return sessions;
}

function missing(where: string, wanted: string, got = 'nothing', cure?: string): VoltstreamError {
  return new VoltstreamError('CONFIGURATION_INVALID', 'a profile cannot be fitted', { where, wanted, got, ...(cure === undefined ? {} : { cure }) });
}
