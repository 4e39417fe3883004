import { json } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import { groupedStore, keyTimerStore } from '../engine.ts';
import type { SessionEvent } from '../session-event.ts';
import type { ConnectorState } from './connector-state.ts';
import { sessionCodec } from './session-codec.ts';
import { dropMsOf, isOver } from './session-reading.ts';

export interface StitchSessionsOptions {
  /** From what ends a session to its first final row: what is a little out of order arrives meanwhile. Default 10 minutes. */
  readonly settleMs?: number;
  /** A session with a transaction id of which nothing more is heard is closed after this long. Default 60 days: a real one lasted 45. */
  readonly inactiveMs?: number;
  /** The same of a session without a transaction id; and the gap that parts two of them. Default 15 minutes. */
  readonly withoutIdInactiveMs?: number;
  /** How long evidence for a finished session is waited for; then its state is dropped. Default 7 days. */
  readonly finishedForMs?: number;
  /** How long a finished session of an unknown station waits for the station to become known. Default 60 days. */
  readonly unknownForMs?: number;
  /** Live rows of a session come this far apart at least. Default 5 minutes. */
  readonly liveEveryMs?: number;
}

export type StitchLimits = Required<StitchSessionsOptions>;

const dayMs = 86_400_000;

export function limitsFrom(options: StitchSessionsOptions): StitchLimits {
  return {
    settleMs: options.settleMs ?? 600_000,
    inactiveMs: options.inactiveMs ?? 60 * dayMs,
    withoutIdInactiveMs: options.withoutIdInactiveMs ?? 900_000,
    finishedForMs: options.finishedForMs ?? 7 * dayMs,
    unknownForMs: options.unknownForMs ?? 60 * dayMs,
    liveEveryMs: options.liveEveryMs ?? 300_000,
  };
}

export function stitchStores(name: string, limits: StitchLimits) {
  return {
    /** By station and the session's key. Those that have ended rest, with the time at which they are dropped; see decision 31. */
    sessions: groupedStore({ name, value: sessionCodec, resting: (state) => (isOver(state) && state.stopMs !== null ? dropMsOf(state, limits) : null) }),
    /** By station and connector. */
    connectors: groupedStore({ name: `${name}.connectors`, value: connectorCodec }),
    stations: keyTimerStore({ name: `${name}.stations` }),
  };
}

export type StitchStores = ReturnType<typeof stitchStores>;

type Packed = readonly [
  entries: readonly (readonly [key: string, startMs: number | null, stopMs: number | null])[], availableMs: readonly number[],
  waiting: readonly SessionEvent[],
];

const packed = json<Packed>('connector-state.v2');

const connectorCodec: Codec<ConnectorState> = {
  kind: 'codec',
  schemaId: packed.schemaId,
  encode: ({ entries, availableMs, waiting }) =>
    packed.encode([entries.map(({ key, startMs, stopMs }) => [key, startMs, stopMs]), availableMs, waiting]),
  decode: (bytes) => {
    const [entries, availableMs, waiting] = packed.decode(bytes);
    return { entries: entries.map(([key, startMs, stopMs]) => ({ key, startMs, stopMs })), availableMs, waiting };
  },
};
