import { VoltstreamError, isPassing } from '../../../errors.ts';
import type { Warehouse } from '../warehouse.ts';
import { insertSelectSettings, insertSettings, quoteText } from './statements.ts';

/** What an insert's own settings must come out as, whatever profile the user has (Law 4). */
const wanted: Readonly<Record<string, (value: string) => boolean>> = {
  async_insert: (value) => value === '0',
  insert_deduplicate: (value) => value === '1',
  optimize_on_insert: (value) => value === '0',
  insert_quorum: (value) => value === 'auto',
  readonly: (value) => value === '0',
};
const wantedText: Readonly<Record<string, string>> = { async_insert: '0', insert_deduplicate: '1', optimize_on_insert: '0', insert_quorum: 'auto', readonly: '0' };

/** Settings of every insert into a server, replicated tables included. Others ignore the quorum. */
export function serverInsertSettings(token: string | null, converts = false): string {
  // insert_quorum: a replicated table takes the block on most of its replicas, or says that it did not.
  return [...insertSettings(token), ...(converts ? insertSelectSettings(token) : []), "insert_quorum = 'auto'"].join(', ');
}

/**
 * Since when rows may go in through `SELECT * FROM input(...)`: earlier servers wanted a right to temporary tables for it, and some of them ignored
 * the token of an INSERT SELECT (ClickHouse 104470 and 99206).
 */
const convertsSince = [26, 5] as const;

/** What the server's version says of its inserts. */
export interface InsertFacts {
  /**
   * Rows are sent as plain types, which the server converts by the block. Read as LowCardinality each value is looked up by itself, which is half
   * of what an insert of raw events costs it.
   */
  readonly converts: boolean;
}

async function insertFacts(warehouse: Warehouse, version: string): Promise<InsertFacts> {
  const [, year = '0', month = '0'] = /^(\d+)\.(\d+)\./.exec(version) ?? [];
  const known = Number(year) > convertsSince[0] || (Number(year) === convertsSince[0] && Number(month) >= convertsSince[1]);
  return { converts: known && await maySet(warehouse, serverInsertSettings('check', true)) };
}

/** A profile may hold fast what only the faster way of an insert needs. */
async function maySet(warehouse: Warehouse, settings: string): Promise<boolean> {
  try {
    await warehouse.query(`SELECT 1 SETTINGS ${settings}`);
    return true;
  } catch (error) {
    if (isPassing(error) && !refusedSetting.test(error.message)) throw error;
    return false;
  }
}

const refusedSetting = /READONLY|SETTING_CONSTRAINT_VIOLATION/;

/**
 * Reads the settings with which inserts will really run, and says how they are best made; throws WAREHOUSE_SETTING when one is not as exactly-once needs it: a profile may hold
 * settings fast, and a user may only be allowed to read.
 */
export async function checkInsertSettings(warehouse: Warehouse, where: string): Promise<InsertFacts> {
  const names = Object.keys(wanted).map(quoteText).join(', ');
  let rows: readonly { readonly name: string; readonly value: string; readonly version?: string }[];
  try {
    rows = await warehouse.query(`SELECT name, value, version() AS version FROM system.settings WHERE name IN (${names}) SETTINGS ${serverInsertSettings('check')}`);
  } catch (error) {
    if (isPassing(error) && !refusedSetting.test(error.message)) throw error;
    const got = error instanceof Error ? (/\n {2}got: (.*)/.exec(error.message)?.[1] ?? error.message) : String(error);
    throw unfit(where, 'this user may not give an insert the settings that it needs', `leave to set ${serverInsertSettings(null)}`, got,
      'Give the user a profile without readonly, and without constraints on these settings.');
  }
  for (const { name, value } of rows) {
    if (wanted[name]?.(value) !== false) continue;
    throw unfit(where, `inserts would run with another ${name}`, `${name} = ${wantedText[name]}`, value, `ALTER USER ... SETTINGS ${name} = ${quoteText(wantedText[name] ?? '')}, or take it out of the profile that holds it fast.`);
  }
  return insertFacts(warehouse, rows[0]?.version ?? '');
}

/** Throws WAREHOUSE_SETTING when a cluster is not one that rows can be delivered into exactly once: one shard, and replicated tables when it has replicas. */
export async function checkCluster(warehouse: Warehouse, cluster: string, replicated: boolean, where: string): Promise<void> {
  const [found] = await warehouse.query<{ readonly shards: string | number; readonly nodes: string | number }>(
    `SELECT uniqExact(shard_num) AS shards, count() AS nodes FROM system.clusters WHERE cluster = ${quoteText(cluster)}`,
  );
  const shards = Number(found?.shards ?? 0);
  const nodes = Number(found?.nodes ?? 0);
  if (nodes === 0) {
    throw unfit(where, `there is no cluster ${cluster}`, 'a cluster that system.clusters has', 'none', 'Correct warehouse.cluster, or add it to remote_servers of the server.');
  }
  if (shards > 1) {
    throw unfit(where, `cluster ${cluster} has several shards`, 'one shard: a batch must be found again where it was inserted', `${shards} shards`, 'Name a cluster of one shard; more processes of another applicationId may fill another one.');
  }
  if (nodes > 1 && !replicated) {
    throw unfit(where, `cluster ${cluster} has several replicas, but tables are not replicated`, 'warehouse.replicated true', `${nodes} replicas`, 'Set warehouse.replicated, or name a cluster of one server.');
  }
}

function unfit(where: string, what: string, wantedValue: string, got: string, cure: string): VoltstreamError {
  return new VoltstreamError('WAREHOUSE_SETTING', what, { where, wanted: wantedValue, got, cure });
}
