import type { Charged } from '../vehicles/charge-curve.ts';
import type { ConnectorState, SessionState, SiteState } from './network.ts';
import type { PowerWish } from './site-power.ts';
import { sharePower } from './site-power.ts';

const scratch: Charged = { soc: 0, energyWh: 0 };

/** Brings a session's battery and its connector's register to a time, which never goes back. */
export function settle(connector: ConnectorState, session: SessionState, timeMs: number): void {
  if (timeMs <= session.atMs) return;
  if (timeMs === session.aheadMs) {
    connector.registerWh += session.aheadWh;
    session.soc = session.aheadSoc;
  } else if (!session.isFull && session.capW > 0) {
    scratch.soc = session.soc;
    session.curve.charge(scratch, timeMs - session.atMs, session.capW, session.targetSoc);
    connector.registerWh += scratch.energyWh;
    session.soc = scratch.soc;
  }
  session.atMs = timeMs;
}

/** Looks ahead from where the session is to its next sample: gives when it has all that it wants, or null when not before that. */
export function lookAhead(connector: ConnectorState, session: SessionState): number | null {
  const untilMs = session.nextSampleMs;
  connector.look += 1;
  session.aheadMs = -1;
  if (session.isFull) return null;
  // Nothing is given to it: because others come first, or because it takes no more.
  if (session.capW <= 0) return session.curve.powerW(session.soc, session.limitW) > 0 ? null : session.atMs;
  scratch.soc = session.soc;
  const lengthMs = untilMs - session.atMs;
  const tookMs = session.curve.charge(scratch, lengthMs, session.capW, session.targetSoc);
  // On a whole millisecond, as all that is told.
  const endMs = tookMs < lengthMs ? Math.min(untilMs, Math.ceil(session.atMs + tookMs)) : untilMs;
  session.aheadMs = endMs;
  session.aheadSoc = scratch.soc;
  session.aheadWh = scratch.energyWh;
  return tookMs < lengthMs ? endMs : null;
}

/** What a session draws at its present state. */
export function powerNowW(session: SessionState): number {
  return session.isFull ? 0 : session.curve.powerW(session.soc, session.capW);
}

/** Gives each session of a site its share anew. All must be settled; whatever was looked ahead no longer holds. */
export function share(site: SiteState): void {
  const totalW = site.profile.sitePowerMaxW;
  if (totalW === null) return;
  const wishes = site.charging.map(({ session }): PowerWish => {
    const { curve, soc, limitW, leavesMs } = session as SessionState;
    return { wantsW: curve.powerW(soc, limitW), leavesMs };
  });
  const given = sharePower(wishes, totalW, site.profile.sharing);
  for (const [at, { session }] of site.charging.entries()) (session as SessionState).capW = given[at] as number;
}
