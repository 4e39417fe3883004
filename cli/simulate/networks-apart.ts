import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { VoltstreamError } from '../../errors.ts';

/** What a simulation into the log is known by; `simulation.json` beside its ledger has it. */
export interface NetworkMark {
  readonly profile: string;
  readonly seed: string;
  readonly startsAt: string;
  readonly sitePrefix: string;
}

/** The folder of a network's ledger, in the data folder's `ledger`. */
export function ledgerName({ profile, seed, sitePrefix }: NetworkMark): string {
  return `${sitePrefix}${profile}-${seed}`;
}

/**
 * Two networks in one log need sites of other names, or their messages are taken for those of one: throws CONFIGURATION_INVALID when an earlier
 * simulation that is not the same one has written sites of this prefix. It knows of those that have a ledger in this folder.
 */
export async function assertApart(ledgers: string, own: NetworkMark): Promise<void> {
  for (const name of await names(ledgers)) {
    const other = await markIn(join(ledgers, name, 'simulation.json'));
    if (other === null || other.sitePrefix !== own.sitePrefix) continue;
    if (other.profile === own.profile && other.seed === own.seed && other.startsAt === own.startsAt) continue;
    throw new VoltstreamError('CONFIGURATION_INVALID', 'another simulated network in this log has sites of the same names', {
      where: join(ledgers, name), wanted: 'site ids of its own for each network in a log',
      got: `profile ${other.profile}, seed ${other.seed}, start ${other.startsAt}, with ${other.sitePrefix === '' ? 'no prefix' : `prefix ${other.sitePrefix}`}`,
      cure: `Name a prefix for the sites of this one, such as --site-prefix ${own.profile}-${own.seed}-, or go on with the other: --profile ${other.profile} --seed ${other.seed} --start ${other.startsAt}.`,
    });
  }
}

async function names(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function markIn(path: string): Promise<NetworkMark | null> {
  try {
    return { sitePrefix: '', ...(JSON.parse(await readFile(path, 'utf8')) as Omit<NetworkMark, 'sitePrefix'> & Partial<NetworkMark>) };
  } catch (error) {
    // A folder of something else, or of a run that was killed before it had begun.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ENOTDIR' || error instanceof SyntaxError) return null;
    throw error;
  }
}
