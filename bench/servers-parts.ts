import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Clock ticks a second, in which /proc counts. */
const ticksPerSecond = process.platform === 'linux' ? Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) : 100;

/** Processor time of a process since its start, all threads, user and system; 0 where there is no /proc. */
export function processorSeconds(processId: number): number {
  if (process.platform !== 'linux') return 0;
  // The name, in brackets, may have spaces in it.
  const fields = readFileSync(`/proc/${processId}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Processes by the part that they are. */
export type Parts = Readonly<Record<string, readonly number[]>>;

export function partSeconds(parts: Parts): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(parts).map(([part, ids]) => [part, ids.reduce((sum, id) => sum + processorSeconds(id), 0)]));
}

/** min / median / max, whole numbers. */
export function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): string => Math.round(sorted[index] ?? 0).toLocaleString('en-US');
  return `min ${at(0)}, median ${at(Math.floor(sorted.length / 2))}, max ${at(sorted.length - 1)}`;
}

/** Calls that a Redis has carried out, by command, those of its tools left out. */
export function commandCalls(commandStatistics: string): Readonly<Record<string, number>> {
  const calls: Record<string, number> = {};
  for (const [, name, count] of commandStatistics.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
    if (!/^(?:info|config|hello|ping|client|command|flushall|select|auth|script)/.test(name as string)) calls[name as string] = Number(count);
  }
  return calls;
}
