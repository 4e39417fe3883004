import { dundeeSessionsSql, readDundee, verificationText, verifyDundee } from '../charging/verify-dundee.ts';
import type { SessionAnswer } from '../charging/verify-dundee.ts';
import { VoltstreamError } from '../errors.ts';
import { loadConfiguration } from '../runtime/configuration.ts';
import type { ConfigurationSources } from '../runtime/configuration.ts';
import { withQuery } from './query.ts';

/** Compares what is in ClickHouse with the source files, row by row; exit code 1 unless everything is as it should be. */
export async function verify(sources: ConfigurationSources, against: string, options: { readonly json: boolean }): Promise<void> {
  if (against !== 'dundee') {
    throw new VoltstreamError('CONFIGURATION_INVALID', 'there is nothing of this name to compare with', { where: '--against', wanted: 'dundee', got: against });
  }
  const configuration = loadConfiguration(sources);
  const text = await withQuery(configuration, (ask) => ask(dundeeSessionsSql(configuration.warehouse.database), 'JSONEachRow'));
  const result = await verifyDundee(rowsOf(text), await readDundee());
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${verificationText(result)}\n`);
  if (!result.ok) process.exitCode = 1;
}

async function* rowsOf(text: string): AsyncGenerator<SessionAnswer> {
  for (const line of text.split('\n')) if (line !== '') yield JSON.parse(line) as SessionAnswer;
}
