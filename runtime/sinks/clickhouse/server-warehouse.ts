import { Readable } from 'node:stream';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { VoltstreamError } from '../../../errors.ts';
import type { StreamFormat, Warehouse, WarehouseInsert } from '../warehouse.ts';
import { parseRows, queryText, rowsFormat, runCommand, streamQuery } from './client-statements.ts';
import { insertInto, insertSettings, joinRows, tableName } from './statements.ts';
import { warehouseError, warehouseFailure } from './warehouse-error.ts';

export interface ServerWarehouseOptions {
  /** HTTP interface, e.g. `http://localhost:8123`. */
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  /**
   * Longest wait for one answer. An insert of one block takes milliseconds; a minute leaves room for a server under load,
   * and still frees a task from a connection that went silent. Default 60,000.
   */
  readonly timeoutMs?: number;
  /** Requests under way at once; more wait. Default 8: two for deliveries, the rest for the console and its readers. */
  readonly connectionsMax?: number;
}

/** ClickHouse over HTTP. An error of the network leaves the outcome of an insert unknown: look at the data, send it again. */
export class ServerWarehouse implements Warehouse {
  readonly #url: string;
  readonly #client: ClickHouseClient;

  constructor(options: ServerWarehouseOptions) {
    this.#url = options.url;
    this.#client = createClient({
      url: options.url,
      username: options.user ?? 'default',
      password: options.password ?? '',
      request_timeout: options.timeoutMs ?? 60_000,
      max_open_connections: options.connectionsMax ?? 8,
      application: 'voltstream',
      // Every error is thrown and judged by the caller; the client would print it as well.
      log: { level: ClickHouseLogLevel.OFF },
    });
  }

  async open(): Promise<void> {
    const answer = await this.#client.ping({ select: true });
    if (!answer.success) {
      throw new VoltstreamError('WAREHOUSE_UNAVAILABLE', 'ClickHouse does not answer', {
        where: this.#url,
        got: answer.error.message,
        cause: answer.error,
      });
    }
  }

  async query<Row>(sql: string): Promise<readonly Row[]> {
    return parseRows<Row>(await this.queryText(sql, rowsFormat));
  }

  queryText(sql: string, format: string): Promise<string> {
    return this.#attempt('query', () => queryText(this.#client, sql, format));
  }

  async * stream(sql: string, format: StreamFormat): AsyncGenerator<Uint8Array> {
    try {
      yield * streamQuery(this.#client, sql, format);
    } catch (error) {
      throw warehouseError(warehouseFailure(error), `query, ${this.#url}`, error);
    }
  }

  command(sql: string): Promise<void> {
    return this.#attempt('command', () => runCommand(this.#client, sql));
  }

  insert(insert: WarehouseInsert): Promise<void> {
    // insert_quorum: a replicated table takes the block on most of its replicas, or says that it did not; others ignore it.
    const settings = [...insertSettings(insert.token), "insert_quorum = 'auto'"].join(', ');
    return this.#attempt(`insert into ${tableName(insert)}`, async () => {
      const answer = await this.#client.exec({
        query: `${insertInto(insert)} SETTINGS ${settings} FORMAT RowBinary`,
        values: Readable.from([Buffer.from(joinRows(insert.rows).buffer)], { objectMode: false }),
      });
      for await (const _ of answer.stream);
    });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #attempt<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw warehouseError(warehouseFailure(error), `${what}, ${this.#url}`, error);
    }
  }
}
