import { VoltstreamError } from '../../../errors.ts';
import type { Warehouse, WarehouseInsert } from '../../sinks/warehouse.ts';

const batchBytes = 16;
const versionBytes = 8;

/** ClickHouse as far as the engine sees it: tables that fit, blocks by batch, tokens that swallow repeats while reporting success. */
export class FakeWarehouse implements Warehouse {
  /** Texts of the one String column, in the order of their blocks, by table. */
  readonly #tables = new Map<string, { readonly texts: string[]; readonly batches: Set<string>; readonly tokens: Set<string> }>();
  readonly #columns: Readonly<Record<string, string>>;
  /** While it is down, every insert fails without effect. */
  down = false;
  /** The next insert into this table meets the crash between its token and its rows: the token is known, the rows are not there. */
  gapIn: string | null = null;
  inserts = 0;

  /** All tables have the same columns: those, one String at least, with at most 127 ASCII characters. */
  constructor(columns: Readonly<Record<string, string>>) {
    this.#columns = columns;
  }

  textsOf(table: string): readonly string[] {
    return this.#tableOf(table).texts;
  }

  async query<Row>(sql: string): Promise<readonly Row[]> {
    if (this.down) throw new VoltstreamError('WAREHOUSE_UNAVAILABLE', 'planted');
    return this.#answer(sql) as unknown as readonly Row[];
  }

  async insert(insert: WarehouseInsert): Promise<void> {
    this.inserts++;
    if (this.down) throw new VoltstreamError('WAREHOUSE_UNAVAILABLE', 'planted');
    const table = this.#tableOf(insert.table);
    if (insert.token !== null && table.tokens.has(insert.token)) return;
    if (insert.token !== null) table.tokens.add(insert.token);
    if (this.gapIn === insert.table) {
      this.gapIn = null;
      throw new VoltstreamError('WAREHOUSE_UNAVAILABLE', 'planted');
    }
    const rows = Buffer.concat(insert.rows);
    for (let at = 0; at < rows.length;) {
      const length = rows.readUInt8(at);
      const batchAt = at + 1 + length + versionBytes;
      table.texts.push(rows.toString('utf8', at + 1, at + 1 + length));
      table.batches.add(rows.toString('hex', batchAt, batchAt + batchBytes));
      at = batchAt + batchBytes;
    }
  }

  async open(): Promise<void> {}
  async close(): Promise<void> {}
  async command(): Promise<void> {}
  async queryText(): Promise<string> {
    return '';
  }
  async * stream(): AsyncGenerator<Uint8Array> {}

  #answer(sql: string): readonly object[] {
    if (sql.includes('system.tables')) {
      return [{ engine: 'ReplacingMergeTree', engine_full: 'ReplacingMergeTree ORDER BY text SETTINGS non_replicated_deduplication_window = 10000' }];
    }
    if (sql.includes('merge_tree_settings')) return [];
    if (sql.includes('system.columns')) {
      return Object.entries({ ...this.#columns, _version: 'UInt64', _batch: 'FixedString(16)' }).map(([name, type]) => ({ name, type, default_kind: '' }));
    }
    const table = /FROM `[^`]+`\.`([^`]+)` WHERE _batch IN/.exec(sql)?.[1];
    if (table === undefined) throw new Error(`the fake warehouse cannot answer ${sql}`);
    const { batches } = this.#tableOf(table);
    return [...sql.matchAll(/unhex\('([0-9a-f]{32})'\)/g)].flatMap(([, batch]) => batch !== undefined && batches.has(batch) ? [{ batch }] : []);
  }

  #tableOf(name: string) {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const made = { texts: [], batches: new Set<string>(), tokens: new Set<string>() };
    this.#tables.set(name, made);
    return made;
  }
}
