import { quoteName, quoteText } from './statements.ts';

/** Where tables lie when there are several servers. */
export interface ClusterLayout {
  /** As `remote_servers` names it; DDL goes to all of its nodes. Null: to the one server that is asked. */
  readonly cluster: string | null;
  /** Tables that rows are delivered into are Replicated ones; null: they are not. Macros are the server's own: `{uuid}`, `{shard}`, `{replica}`. */
  readonly replicated: { readonly path: string; readonly replica: string } | null;
}

const name = '(?:`[^`]+`|\\w+)(?:\\.(?:`[^`]+`|\\w+))?';
/** ON CLUSTER stands behind the name. */
const behindName: readonly RegExp[] = [
  new RegExp(`^CREATE\\s+(?:OR\\s+REPLACE\\s+)?(?:DATABASE|TABLE|VIEW|MATERIALIZED\\s+VIEW|DICTIONARY|FUNCTION)\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?${name}`, 'i'),
  new RegExp(`^(?:DROP|TRUNCATE)\\s+(?:DATABASE|TABLE|VIEW|DICTIONARY|FUNCTION)\\s+(?:IF\\s+EXISTS\\s+)?${name}`, 'i'),
  new RegExp(`^(?:ALTER|OPTIMIZE)\\s+TABLE\\s+${name}`, 'i'),
];
/** ON CLUSTER stands at the end. */
const atEnd = /^(?:RENAME|EXCHANGE)\s+(?:TABLES?|DICTIONARIES|DICTIONARY|DATABASE)\s/i;
const engine = /\bENGINE\s*=\s*(\w*MergeTree)\b(?:\s*\(([^)]*)\))?/i;
const ownWindow = /\bnon_replicated_deduplication_window\s*=\s*(\d+)/i;
/** Law 4: the window must last from an insert to its last repeat; a week bridges an outage over a weekend. */
const windowSeconds = 604_800;

/** What stays with the one server that is asked: who has the turn to migrate. */
const localTables = /`?migration_turn`?/;

/**
 * A statement as several servers need it: ON CLUSTER, and Replicated engines for tables that rows are delivered into, whose deduplication then is the
 * replicated one. Plain MergeTree tables without a window stay local to each server: refreshable views make them, each server its own, from replicated ones.
 * Statements that change no tables stay as they are.
 */
export function clusterStatement(sql: string, { cluster, replicated }: ClusterLayout): string {
  const statement = sql.trim();
  if (localTables.test(statement.slice(0, 200))) return sql;
  const placed = cluster === null ? statement : onCluster(statement, cluster);
  return replicated === null ? placed : withReplicatedEngine(placed, replicated);
}

function onCluster(statement: string, cluster: string): string {
  const clause = ` ON CLUSTER ${quoteName(cluster)}`;
  for (const form of behindName) {
    const head = form.exec(statement)?.[0];
    if (head !== undefined) return `${head}${clause}${statement.slice(head.length)}`;
  }
  return atEnd.test(statement) ? `${statement}${clause}` : statement;
}

function withReplicatedEngine(statement: string, { path, replica }: { readonly path: string; readonly replica: string }): string {
  if (!/^CREATE\s+(?:OR\s+REPLACE\s+)?TABLE\s/i.test(statement)) {
    return statement.replace(ownWindow, (_, window: string) => windowsOf(window));
  }
  const [whole = '', family = '', parameters = ''] = engine.exec(statement) ?? [];
  if (whole === '' || family.startsWith('Replicated') || (family === 'MergeTree' && !ownWindow.test(statement))) return statement;
  const parts = [quoteText(path), quoteText(replica), ...(parameters.trim() === '' ? [] : [parameters.trim()])];
  return statement.replace(whole, () => `ENGINE = Replicated${family}(${parts.join(', ')})`).replace(ownWindow, (_, window: string) => windowsOf(window));
}

function windowsOf(window: string): string {
  return `replicated_deduplication_window = ${window}, replicated_deduplication_window_seconds = ${windowSeconds}`;
}
