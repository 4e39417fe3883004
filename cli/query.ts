import { VoltstreamError } from '../errors.ts';
import { checkedSelect } from '../console/export-endpoint.ts';
import type { ExportFormat } from '../console/export-endpoint.ts';
import { refusalOf } from '../console/read-only.ts';
import { errorOf } from '../console/state-endpoint.ts';
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

/** The answer to one SELECT in pieces. */
export type Take = (sql: string, format: ExportFormat) => AsyncIterable<Uint8Array>;

/** Lets `work` ask ClickHouse: through the process that has the data folder open, else directly. */
export async function withQuery<T>(configuration: ReturnType<typeof loadConfiguration>, work: (ask: Ask, take: Take) => Promise<T>): Promise<T> {
  if (configuration.warehouse.kind === 'chdb') {
    const running = await runningProcess(configuration.dataFolder);
    if (running !== null) return work((sql, format) => askProcess(running.url, sql, format), (sql, format) => takeFromProcess(running.url, sql, format));
  }
  const { warehouse } = await portsOf(configuration);
  await warehouse.open();
  try {
    const ask: Ask = async (sql, format) => {
      const refusal = refusalOf(sql);
      if (refusal !== null) throw new VoltstreamError('QUERY_REFUSED', refusal, { wanted: 'one statement that only reads', got: sql.slice(0, 80) });
      return warehouse.queryText(sql, format);
    };
    return await work(ask, (sql, format) => warehouse.stream(checkedSelect(sql), format));
  } finally {
    await warehouse.close();
  }
}

async function askProcess(url: string, sql: string, format: string): Promise<string> {
  const response = await post(`${url}/api/query?format=${encodeURIComponent(format)}`, sql);
  return response.text();
}

async function* takeFromProcess(url: string, sql: string, format: ExportFormat): AsyncGenerator<Uint8Array> {
  const response = await post(`${url}/api/export?format=${format}`, sql);
  try {
    if (response.body !== null) yield* response.body;
  } catch (error) {
    throw new VoltstreamError('WAREHOUSE_UNAVAILABLE', 'the process that works on the data folder broke off its answer', { where: url, got: (error as Error).message, cause: error });
  }
}

async function post(address: string, sql: string): Promise<Response> {
  const response = await fetch(address, { method: 'POST', body: sql, headers: { 'content-type': 'text/plain' } });
  if (!response.ok) throw errorOf(response.headers.get('x-voltstream-error'), await response.text(), new URL(address).origin);
  return response;
}
