import { loadConfiguration } from '../runtime/configuration.ts';
import type { Configuration, ConfigurationSources } from '../runtime/configuration.ts';
import { readLedger } from '../simulator/ledger/ledger-book.ts';
import { verdictText, verifyLedger } from '../simulator/ledger/verify-ledger.ts';
import type { LedgerVerdict } from '../simulator/ledger/verify-ledger.ts';
import { withQuery } from './query.ts';
import type { Take } from './query.ts';

/** Compares the tables with the ledger of a simulation; exit code 1 when anything is lost, duplicated or wrong. */
export async function verifyAgainstLedger(sources: ConfigurationSources, folder: string, options: { readonly json: boolean }): Promise<void> {
  const verdict = await ledgerVerdict(loadConfiguration(sources), folder);
  process.stdout.write(options.json ? `${JSON.stringify(verdict)}\n` : `${verdictText(verdict)}\n`);
  if (!verdict.ok) process.exitCode = 1;
}

export async function ledgerVerdict(configuration: Configuration, folder: string): Promise<LedgerVerdict> {
  const book = await readLedger(folder);
  return withQuery(configuration, (_, take) => verdictBy(book, configuration.warehouse.database, take));
}

/** The same for those who have ClickHouse at hand. */
export function verdictBy(book: Awaited<ReturnType<typeof readLedger>>, database: string, take: Take): Promise<LedgerVerdict> {
  return verifyLedger(book, database, <Row>(sql: string) => rowsOf<Row>(take(sql, 'JSONEachRow')));
}

async function* rowsOf<Row>(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Row> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line) as Row;
  }
  if (rest !== '') yield JSON.parse(rest) as Row;
}
