import type { ClickHouseClient, DataFormat } from '@clickhouse/client';
import type { StreamFormat } from '../warehouse.ts';

/**
 * Statements by `@clickhouse/client`, the same for a server and for chDB. Settings that go with the client's calls are the same
 * every time: on chDB they stay on the connection.
 */
const readSettings = { output_format_json_quote_64bit_integers: 1 } as const;

/** The answer as text in a ClickHouse format. */
export async function queryText(client: ClickHouseClient, sql: string, format: string): Promise<string> {
  const answer = await client.query({ query: sql, format: format as DataFormat, clickhouse_settings: readSettings });
  return answer.text();
}

/** Answers that people take away: integers are numbers in JSON, and what is not there is an empty field in CSV (an empty text is `""`). */
export const streamSettings = { output_format_json_quote_64bit_integers: 0, format_csv_null_representation: '' } as const;

/** The answer in pieces as a server sends them, once it has all of them: an error half way must not look like an end. */
export async function * streamQuery(client: ClickHouseClient, sql: string, format: StreamFormat): AsyncGenerator<Uint8Array> {
  const answer = await client.exec({
    query: `${sql}\nFORMAT ${format}`,
    clickhouse_settings: {
      ...streamSettings, wait_end_of_query: 1,
      // Signs of life, so that the wait for a long query is not taken for a silent connection.
      send_progress_in_http_headers: 1, http_headers_progress_interval_ms: '20000',
    },
  });
  for await (const piece of answer.stream) yield piece as Uint8Array;
}

export async function runCommand(client: ClickHouseClient, sql: string): Promise<void> {
  await client.command({ query: sql });
}

/** One JSON object a line, as the format JSONEachRow gives them. */
export function parseRows<Row>(text: string): readonly Row[] {
  const rows: Row[] = [];
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    if (end > start) rows.push(JSON.parse(text.slice(start, end)) as Row);
    start = end + 1;
  }
  return rows;
}

export const rowsFormat = 'JSONEachRow';
