import type { SessionState } from './session-state.ts';

/**
 * Rows of running sessions, held back until the commit: of those of one session that follow each other the last one is given. A row says what the
 * session was when it was asked for, so whoever changes a session otherwise than by an event that asks for the next row gives first what is held.
 * How many rows there are depends on when commits are made; the last one of a session does not.
 */
export class LiveRows {
  readonly #give: (state: SessionState, timestampMs: number) => void;
  /** Time of the event that asked, by station and session. */
  readonly #held = new Map<string, Map<SessionState, number>>();

  constructor(give: (state: SessionState, timestampMs: number) => void) {
    this.#give = give;
  }

  /** Asks for a row of the session as it is now, in place of one that is held. */
  hold(state: SessionState, timestampMs: number): void {
    const ofStation = this.#held.get(state.stationId);
    if (ofStation === undefined) this.#held.set(state.stationId, new Map([[state, timestampMs]]));
    else ofStation.set(state, timestampMs);
  }

  /** The session is about to change. */
  giveOf(state: SessionState): void {
    const ofStation = this.#held.get(state.stationId);
    const timestampMs = ofStation?.get(state);
    if (ofStation === undefined || timestampMs === undefined) return;
    ofStation.delete(state);
    this.#give(state, timestampMs);
  }

  /** Any session of the station may be about to change. */
  giveOfStation(stationId: string): void {
    const ofStation = this.#held.get(stationId);
    if (ofStation === undefined) return;
    this.#held.delete(stationId);
    for (const [state, timestampMs] of ofStation) this.#give(state, timestampMs);
  }

  /** The commit is about to be made. */
  giveAll(): void {
    for (const ofStation of this.#held.values()) {
      for (const [state, timestampMs] of ofStation) this.#give(state, timestampMs);
    }
    this.#held.clear();
  }
}
