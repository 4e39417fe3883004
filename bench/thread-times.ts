/**
 * Processor time of a process by group of threads, as Linux tells it by their names; elsewhere only this process's sum is known. Threads
 * that have ended are the difference between the sum and what the living ones have used.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { processorSeconds } from './servers-parts.ts';

export type ThreadTimes = ReadonlyMap<string, number>;

/** The kernel's clock ticks: 100 a second on every Linux that Node runs on. */
const MS_PER_TICK = 10;

/** Names of threads are cut at 15 characters by the kernel; Node's, V8's, libuv's, chDB's and Java's. */
const groups: readonly (readonly [group: string, name: RegExp])[] = [
  ['V8 helpers', /^(node-V8Worker|V8Worker|DelayedTaskSche)/],
  ['pool (LMDB, statements of chDB)', /^(libuv-worker|node-libuv)/],
  ['chDB thread', /^chdb$/],
  ['archive thread', /^archive/],
  ['merges and other background work of ClickHouse', /^(MergeMutate|BgSchPool|BgMoveProc|BgCommonPool|BgBufSchPool|BgDistSchPool|Background)/],
  ['Java compiler', /^C[12] CompilerThre/],
  ['Java collector', /^(G1 |GC Thread|VM Thread|VM Periodic)/],
  ['requests to Kafka', /^data-plane-kaf/],
];

function groupOf(processId: number, id: string, name: string): string {
  if (id === String(processId)) return 'main';
  for (const [group, pattern] of groups) if (pattern.test(name)) return group;
  return /^(node-MainThread|node)$/.test(name) ? 'other threads of Node' : name.replaceAll(/[-\d]+/g, '');
}

/** User and system time of one thread, ms; null when it has just ended. */
function timeOf(processId: number, id: string): { readonly name: string; readonly ms: number } | null {
  try {
    const stat = readFileSync(`/proc/${processId}/task/${id}/stat`, 'utf8');
    const end = stat.lastIndexOf(')');
    const fields = stat.slice(end + 2).split(' ');
    return { name: stat.slice(stat.indexOf('(') + 1, end), ms: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK };
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

function ownMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** What each group has used since the process began, ms. */
export function threadTimes(processId = process.pid): ThreadTimes {
  if (process.platform !== 'linux') return new Map(processId === process.pid ? [['all', ownMs()]] : []);
  const all = processId === process.pid ? ownMs() : processorSeconds(processId) * 1_000;
  const times = new Map<string, number>();
  let living = 0;
  for (const id of readdirSync(`/proc/${processId}/task`)) {
    const time = timeOf(processId, id);
    if (time === null) continue;
    const group = groupOf(processId, id, time.name);
    times.set(group, (times.get(group) ?? 0) + time.ms);
    living += time.ms;
  }
  times.set('ended threads', Math.max(0, all - living));
  return times;
}

/** Seconds of each group since `before`, for `events` events: microseconds an event, most first. */
export function describeThreadTimes(before: ThreadTimes, after: ThreadTimes, events: number): string {
  const all = [...after].map(([group, ms]) => [group, ms - (before.get(group) ?? 0)] as const);
  const least = all.reduce((sum, [, ms]) => sum + ms, 0) / 100;
  const used = all.filter(([, ms]) => ms > least);
  const rest = all.filter(([, ms]) => ms <= least).reduce((sum, [, ms]) => sum + ms, 0);
  if (rest >= MS_PER_TICK) used.push(['others', rest]);
  return used.sort(([, left], [, right]) => right - left).map(([group, ms]) => `${group} ${(ms * 1_000 / events).toFixed(1)}`).join(', ');
}
