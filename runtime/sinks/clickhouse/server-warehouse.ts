import { Readable } from 'node:stream';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { VoltstreamError } from '../../../errors.ts';
import type { StreamFormat, Warehouse, WarehouseInsert } from '../warehouse.ts';
import { checkCluster, checkInsertSettings, serverInsertSettings } from './check-server.ts';
import { parseRows, queryText, rowsFormat, runCommand, streamQuery } from './client-statements.ts';
import { clusterStatement } from './cluster-statements.ts';
import type { ClusterLayout } from './cluster-statements.ts';
import { insertInto, joinRows, plainStructure, quoteText, tableName } from './statements.ts';
import { isTrustFailure } from '../../../schemas/trust-failure.ts';
import { warehouseError, warehouseFailure } from './warehouse-error.ts';

export interface ServerWarehouseOptions {
  /** HTTP interface, e.g. `http://localhost:8123`; a login in it counts when there is none beside it. */
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  /** PEM text of who vouches for its certificate (https), when that is nobody whom Node knows. */
  readonly ca?: string;
  /** Several servers: DDL on all of them, replicated tables. */
  readonly layout?: ClusterLayout;
  /**
   * Longest wait for one answer. An insert of one block takes milliseconds; a minute leaves room for a server under load,
   * and still frees a task from a connection that went silent. Default 60,000.
   */
  readonly timeoutMs?: number;
  /** Requests under way at once; more wait. Default 8: two for deliveries, the rest for the console and its readers. */
  readonly connectionsMax?: number;
}

/** Answers of a server that knows the user otherwise, or not at all. */
const loginTypes: ReadonlySet<string> = new Set(['AUTHENTICATION_FAILED', 'REQUIRED_PASSWORD', 'WRONG_PASSWORD', 'UNKNOWN_USER', 'IP_ADDRESS_NOT_ALLOWED', 'USER_EXPIRED']);
/** Something in front of the server may ask for it, too. */
const loginForm = /Authentication failed|\b(?:401|403)\b.*(?:Unauthorized|Forbidden)|^(?:Unauthorized|Forbidden)/i;

/** ClickHouse over HTTP. An error of the network leaves the outcome of an insert unknown: look at the data, send it again. */
export class ServerWarehouse implements Warehouse {
  readonly #url: string;
  readonly #client: ClickHouseClient;
  readonly #layout: ClusterLayout;
  #checked: Promise<void> | null = null;
  /** Rows go in as plain types, and the server makes those of the table of them: known when inserts have been checked. */
  #converts = false;

  constructor(options: ServerWarehouseOptions) {
    const url = new URL(options.url);
    const login = { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
    url.username = '';
    url.password = '';
    this.#url = url.origin; // Stands in messages: neither a login nor parameters.
    this.#layout = options.layout ?? { cluster: null, replicated: null };
    this.#client = createClient({
      url: url.toString(),
      username: login.user === '' ? (options.user ?? 'default') : login.user,
      password: login.user === '' ? (options.password ?? '') : login.password,
      ...(options.ca === undefined ? {} : { tls: { ca_cert: Buffer.from(options.ca) } }),
      request_timeout: options.timeoutMs ?? 60_000,
      max_open_connections: options.connectionsMax ?? 8,
      application: 'voltstream',
      // Every error is thrown and judged by the caller; the client would print it as well.
      log: { level: ClickHouseLogLevel.OFF },
    });
  }

  /** Asks whether it answers and takes the login: LOGIN_REFUSED when not, or when there is no trust between its certificate and ours. */
  async open(): Promise<void> {
    const answer = await this.#client.ping({ select: true });
    if (answer.success) return;
    const { error } = answer;
    const { type, message } = warehouseFailure(error);
    const refused = (type !== null && loginTypes.has(type)) || loginForm.test(message);
    if (refused || isTrustFailure(error)) {
      throw new VoltstreamError('LOGIN_REFUSED', refused ? 'ClickHouse refused the login' : 'there is no trust between this process and ClickHouse', {
        where: this.#url, got: message.trim().slice(0, 300),
        cure: refused ? 'Correct warehouse.user and warehouse.password.' : 'Name the PEM file of the authority that signed its certificate with warehouse.caFile.',
      });
    }
    throw new VoltstreamError('WAREHOUSE_UNAVAILABLE', 'ClickHouse does not answer', { where: this.#url, got: message, cause: error });
  }

  /** Asked of the server once; a failure is asked again. */
  checkInserts(): Promise<void> {
    this.#checked ??= this.#check().catch((error: unknown) => {
      this.#checked = null;
      throw error;
    });
    return this.#checked;
  }

  async #check(): Promise<void> {
    const { cluster, replicated } = this.#layout;
    const { converts } = await checkInsertSettings(this, this.#url);
    if (cluster !== null) await checkCluster(this, cluster, replicated !== null, this.#url);
    this.#converts = converts;
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
    return this.#attempt('command', () => runCommand(this.#client, clusterStatement(sql, this.#layout)));
  }

  insert(insert: WarehouseInsert): Promise<void> {
    return this.#attempt(`insert into ${tableName(insert)}`, async () => {
      const source = this.#converts ? ` SELECT * FROM input(${quoteText(plainStructure(insert.types))})` : '';
      // Mostly one piece: it is sent as it lies there.
      const [first, ...others] = insert.rows;
      const { buffer, byteOffset, byteLength } = first !== undefined && others.length === 0 ? first : joinRows(insert.rows);
      const answer = await this.#client.exec({
        query: `${insertInto(insert)} SETTINGS ${serverInsertSettings(insert.token, this.#converts)}${source} FORMAT RowBinary`,
        values: Readable.from([Buffer.from(buffer, byteOffset, byteLength)], { objectMode: false }),
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
