import { VoltstreamError } from '../errors.ts';
import { refusalOf } from '../console/read-only.ts';
import { loadConfiguration } from '../runtime/configuration.ts';
import type { ConfigurationSources } from '../runtime/configuration.ts';
import { portsOf } from '../runtime/ports.ts';
import { runningProcess } from './workplace.ts';

/** Prints the answer to one statement that only reads. */
export async function query(sources: ConfigurationSources, sql: string, format: string): Promise<void> {
  const configuration = loadConfiguration(sources);
  const answer = await withQuery(configuration, (ask) => ask(sql, format));
  process.stdout.write(answer.endsWith('\n') || answer === '' ? answer : `${answer}\n`);
}

export type Ask = (sql: string, format: string) => Promise<string>;

/** Lets `work` ask ClickHouse: through the process that has the data folder open, else directly. */
export async function withQuery<T>(configuration: ReturnType<typeof loadConfiguration>, work: (ask: Ask) => Promise<T>): Promise<T> {
  if (configuration.warehouse.kind === 'chdb') {
    const running = await runningProcess(configuration.dataFolder);
    if (running !== null) return work((sql, format) => askProcess(running.url, sql, format));
  }
  const { warehouse } = await portsOf(configuration);
  await warehouse.open();
  try {
    return await work(async (sql, format) => {
      const refusal = refusalOf(sql);
      if (refusal !== null) throw new VoltstreamError('QUERY_REFUSED', refusal, { wanted: 'one statement that only reads', got: sql.slice(0, 80) });
      return warehouse.queryText(sql, format);
    });
  } finally {
    await warehouse.close();
  }
}

async function askProcess(url: string, sql: string, format: string): Promise<string> {
  const response = await fetch(`${url}/api/query?format=${encodeURIComponent(format)}`, {
    method: 'POST', body: sql, headers: { 'content-type': 'text/plain' },
  });
  const text = await response.text();
  if (!response.ok) throw new VoltstreamError('QUERY_REFUSED', text, { where: url });
  return text;
}
