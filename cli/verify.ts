import { dundeeSessionsSql, readDundee, verificationText, verifyDundee } from '../charging/verify-dundee.ts';
import type { SessionAnswer } from '../charging/verify-dundee.ts';
import { readForVerification } from '../charging/verify-session-log.ts';
import { VoltstreamError } from '../errors.ts';
import { loadConfiguration } from '../runtime/configuration.ts';
import type { ConfigurationSources } from '../runtime/configuration.ts';
import { withQuery } from './query.ts';
import { mappingNamed } from './session-log-mapping.ts';

export interface VerifyOptions {
  readonly json: boolean;
  /** Mapping of the session logs in `against`; null: `against` names the shipped data. */
  readonly mapping: string | null;
}

/** Compares what is in ClickHouse with the source files, row by row; exit code 1 unless everything is as it should be. */
export async function verify(sources: ConfigurationSources, against: readonly string[], options: VerifyOptions): Promise<void> {
  if (options.mapping === null && against.join(' ') !== 'dundee') {
    throw new VoltstreamError('CONFIGURATION_INVALID', 'there is nothing of this name to compare with', {
      where: '--against', wanted: 'dundee, or files of a session log together with --mapping', got: against.join(' '), cure: 'Name the mapping of the files.',
    });
  }
  const configuration = loadConfiguration(sources);
  const mapping = options.mapping === null ? null : await mappingNamed(options.mapping);
  const rows = mapping === null ? await readDundee() : await readForVerification(against, mapping);
  const text = await withQuery(configuration, (ask) => ask(dundeeSessionsSql(configuration.warehouse.database), 'JSONEachRow'));
  const result = await verifyDundee(rowsOf(text), rows);
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${verificationText(result, mapping?.name)}\n`);
  if (!result.ok) process.exitCode = 1;
}

async function* rowsOf(text: string): AsyncGenerator<SessionAnswer> {
  for (const line of text.split('\n')) if (line !== '') yield JSON.parse(line) as SessionAnswer;
}
