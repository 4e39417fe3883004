/** Those that the system or `abort` raises when a process cannot go on. */
const crashSignals = ['SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSEGV', 'SIGSYS', 'SIGTRAP'] as const;

/**
 * Lets a process that crashes end at once, as it does without chDB.
 *
 * chDB takes these signals over when it opens, and then waits for a thread of the ClickHouse server that it does not start
 * (seen with 26.7: a process that runs out of memory, or whose heap is broken, stands still instead of being started again). To
 * listen and to stop listening is Node's way back to the system's default.
 */
export function giveBackCrashSignals(): void {
  const listener = (): void => undefined;
  for (const signal of crashSignals) {
    if (process.listenerCount(signal) > 0) continue;
    process.on(signal, listener);
    process.off(signal, listener);
  }
}
