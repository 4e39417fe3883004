/**
 * Processor time of this process by group of threads, as Linux tells it by their names; elsewhere only the sum is known. Threads that
 * have ended are the difference between the sum and what the living ones have used.
 */
import { readFileSync, readdirSync } from 'node:fs';

export type ThreadTimes = ReadonlyMap<string, number>;

/** The kernel's clock ticks: 100 a second on every Linux that Node runs on. */
const MS_PER_TICK = 10;

/** Names of threads are cut at 15 characters by the kernel; Node's, V8's, libuv's and chDB's. */
const groups: readonly (readonly [group: string, name: RegExp])[] = [
  ['V8 helpers', /^(node-V8Worker|V8Worker|DelayedTaskSche)/],
  ['pool (LMDB, statements of chDB)', /^(libuv-worker|node-libuv)/],
  ['chDB thread', /^chdb$/],
  ['archive thread', /^archive/],
];

function groupOf(id: string, name: string): string {
  if (id === String(process.pid)) return 'main';
  for (const [group, pattern] of groups) if (pattern.test(name)) return group;
  return /^(node-MainThread|node)$/.test(name) ? 'other threads of Node' : 'chDB engine';
}

/** User and system time of one thread, ms; null when it has just ended. */
function timeOf(id: string): { readonly name: string; readonly ms: number } | null {
  try {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, 'utf8');
    const end = stat.lastIndexOf(')');
    const fields = stat.slice(end + 2).split(' ');
    return { name: stat.slice(stat.indexOf('(') + 1, end), ms: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK };
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

/** What each group has used since the process began, ms. */
export function threadTimes(): ThreadTimes {
  const { user, system } = process.cpuUsage();
  const all = (user + system) / 1_000;
  if (process.platform !== 'linux') return new Map([['all', all]]);
  const times = new Map<string, number>();
  let living = 0;
  for (const id of readdirSync('/proc/self/task')) {
    const time = timeOf(id);
    if (time === null) continue;
    const group = groupOf(id, time.name);
    times.set(group, (times.get(group) ?? 0) + time.ms);
    living += time.ms;
  }
  times.set('ended threads', Math.max(0, all - living));
  return times;
}

/** Seconds of each group since `before`, for `events` events: microseconds an event, most first. */
export function describeThreadTimes(before: ThreadTimes, after: ThreadTimes, events: number): string {
  const used = [...after].map(([group, ms]) => [group, ms - (before.get(group) ?? 0)] as const).filter(([, ms]) => ms >= MS_PER_TICK);
  return used.sort(([, left], [, right]) => right - left).map(([group, ms]) => `${group} ${(ms * 1_000 / events).toFixed(1)}`).join(', ');
}
