import { VoltstreamError } from '../../errors.ts';
import type { Codec } from '../../schemas/codec.ts';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import type { CommittedState } from './committed-state.ts';
import { refused, type PageOptions } from './state-page.ts';

/** A question about committed state in words, as the command line and HTTP have them. */
export interface StateQuery {
  readonly action: 'list' | 'get' | 'range';
  readonly store?: string;
  /** Text for keys that are texts, else JSON. Of a grouped store: the group. */
  readonly key?: string;
  readonly member?: string;
  /** A time: whole milliseconds, or ISO 8601. Of a window its start, of a session its end, of a table with a history: as of then. */
  readonly at?: string;
  /** Keys, from and before; of a store by time: times, from and up to. */
  readonly from?: string;
  readonly to?: string;
  readonly limit?: string;
  readonly after?: string;
}

export const stateQueryNames = ['action', 'store', 'key', 'member', 'at', 'from', 'to', 'limit', 'after'] as const;

/**
 * Answers with what JSON can hold: `list` with all stores, `get` with `{ value }` (null when there is none), `range` with a page.
 *
 * @throws VoltstreamError STORE_UNKNOWN, QUERY_REFUSED, STATE_INCOMPATIBLE, STATE_INCOMPLETE
 */
export async function answerStateQuery(state: CommittedState, query: StateQuery): Promise<unknown> {
  if (query.action === 'list') return { stores: await state.stores() };
  if (query.store === undefined) throw refused('a query names no store', 'a store that voltstream state lists', 'none');
  const { definition } = state.placeOf(query.store);
  const ask = asking[definition.kind];
  if (ask === undefined) {
    throw new VoltstreamError('STORE_UNKNOWN', 'a store keeps what only its own step can read', { where: `store ${query.store}`, got: definition.kind });
  }
  const answer = await ask(state, query.store, query, definition.key ?? utf8);
  return query.action === 'get' ? { value: answer ?? null } : answer;
}

type Ask = (state: CommittedState, store: string, query: StateQuery, key: Codec<unknown>) => Promise<unknown>;

const byKey: Ask = (state, store, query, codec) => {
  const values = state.keyValue(store);
  if (query.action === 'get') return values.get(keyOf(codec, query.key));
  return values.range({
    ...pageOptions(query),
    ...(query.from === undefined ? {} : { from: keyOf(codec, query.from) }),
    ...(query.to === undefined ? {} : { to: keyOf(codec, query.to) }),
  });
};

const asking: Readonly<Record<string, Ask>> = {
  'key-value': byKey,
  'key-timers': byKey,
  'time-key': (state, store, query, codec) => {
    const windows = state.windows(store);
    if (query.action === 'get') return windows.get(keyOf(codec, query.key), timeOf(query.at, 'at'));
    return windows.range({
      ...pageOptions(query), ...oneKey(query, codec),
      ...(query.from === undefined ? {} : { fromMs: timeOf(query.from, 'from') }),
      ...(query.to === undefined ? {} : { toMs: timeOf(query.to, 'to') }),
    });
  },
  versioned: (state, store, query, codec) => {
    const versions = state.versioned(store);
    if (query.action === 'range') return versions.range({ ...pageOptions(query), ...oneKey(query, codec) });
    return query.at === undefined ? versions.get(keyOf(codec, query.key)) : versions.getAsOf(keyOf(codec, query.key), timeOf(query.at, 'at'));
  },
  grouped: (state, store, query) => {
    const groups = state.grouped(store);
    if (query.action === 'range') return groups.range({ ...pageOptions(query), ...(query.key === undefined ? {} : { group: query.key }) });
    if (query.key === undefined || query.member === undefined) throw refused('a value of this store has a group and a member', 'key and member', 'less');
    return groups.get(query.key, query.member);
  },
};

function pageOptions({ limit, after }: StateQuery): PageOptions {
  return { ...(limit === undefined ? {} : { limit: Number(limit) }), ...(after === undefined ? {} : { after }) };
}

function oneKey(query: StateQuery, codec: Codec<unknown>): { readonly key?: unknown } {
  return query.key === undefined ? {} : { key: keyOf(codec, query.key) };
}

function keyOf(codec: Codec<unknown>, text: string | undefined): unknown {
  if (text === undefined) throw refused('a query names no key', 'a key', 'none');
  if (codec.schemaId === utf8.schemaId) return text;
  try {
    const key: unknown = JSON.parse(text);
    codec.encode(key);
    return key;
  } catch (error) {
    throw refused('a key is not one of this store', `JSON that ${codec.schemaId} takes`, `${text} (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`);
  }
}

function timeOf(text: string | undefined, name: string): number {
  const time = text === undefined ? Number.NaN : /^-?\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isSafeInteger(time)) return time;
  throw refused(`"${name}" is no time`, 'whole milliseconds or ISO 8601', text ?? 'none');
}
