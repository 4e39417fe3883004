import { setInterval as ticks } from 'node:timers/promises';
import type { StateStore } from '../state/state-store.ts';
import type { Logger } from './logger.ts';
import type { EngineMetrics } from './metrics.ts';

/** Memory changes by commits of a fifth of a second; a look every ten seconds costs nothing and shows a trend. */
const lookMs = 10_000;

/**
 * Says once what the server of the state store would lose and when, and from then on shows its memory in the metrics until the signal ends it. A
 * remark that is new later (somebody has changed its settings) is said, too. A store without a server has nothing to say.
 */
export async function watchStore(store: StateStore, metrics: EngineMetrics, logger: Logger, signal: AbortSignal): Promise<void> {
  if (store.health === undefined) return;
  const said = new Set<string>();
  const look = async (): Promise<void> => {
    const { usedBytes, bytesMax, remarks } = await (store.health as NonNullable<StateStore['health']>)();
    metrics.storeServer(usedBytes, bytesMax);
    for (const { level, text } of remarks) {
      if (said.has(text)) continue;
      said.add(text);
      logger[level](text);
    }
  };
  await look();
  void watch(look, logger, signal);
}

async function watch(look: () => Promise<void>, logger: Logger, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of ticks(lookMs, undefined, { signal, ref: false })) {
      // Commits tell of an outage; here it only leaves the figures as they were.
      await look().catch((error: unknown) => logger.debug({ err: error }, 'the state store did not say how it is'));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
