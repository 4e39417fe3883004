import { readdir, readFile, readlink } from 'node:fs/promises';

/** Kernels count processor time in these, whatever they are configured for. */
const TICKS_A_SECOND = 100;
const LISTENING = '0A';

export interface ProcessUse {
  readonly cpuSeconds: number;
  readonly memoryMb: number;
}

/** The process of this machine that listens at a port of it; null where that cannot be known: another machine, another user, no Linux. */
export async function processAt(address: string, usualPort: number): Promise<number | null> {
  const { hostname, port } = new URL(address.includes('://') ? address : `tcp://${address}`);
  if (!['localhost', '127.0.0.1', '[::1]'].includes(hostname)) return null;
  const hex = (port === '' ? usualPort : Number(port)).toString(16).toUpperCase().padStart(4, '0');
  const sockets = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of (await textOf(table) ?? '').split('\n')) {
      const words = line.trim().split(/\s+/);
      if (words[1]?.endsWith(`:${hex}`) === true && words[3] === LISTENING) sockets.add(`socket:[${words[9]}]`);
    }
  }
  if (sockets.size === 0) return null;
  for (const name of await orNull(() => readdir('/proc')) ?? []) {
    if (!/^\d+$/.test(name)) continue;
    for (const open of await orNull(() => readdir(`/proc/${name}/fd`)) ?? []) {
      const target = await orNull(() => readlink(`/proc/${name}/fd/${open}`));
      if (target !== null && sockets.has(target)) return Number(name);
    }
  }
  return null;
}

/** What a process has used since its start; null: it is gone, or this is no Linux. */
export async function useOf(processId: number): Promise<ProcessUse | null> {
  const stat = await textOf(`/proc/${processId}/stat`);
  const status = await textOf(`/proc/${processId}/status`);
  if (stat === null || status === null) return null;
  // The name of the program, in brackets, may have spaces in it.
  const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { cpuSeconds: (Number(words[11]) + Number(words[12])) / TICKS_A_SECOND, memoryMb: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1_024 };
}

function textOf(path: string): Promise<string | null> {
  return orNull(() => readFile(path, 'utf8'));
}

/** Processes come and go while one looks, and some may not be looked at. */
async function orNull<T>(look: () => Promise<T>): Promise<T | null> {
  try {
    return await look();
  } catch (error) {
    if (['ENOENT', 'EACCES', 'EPERM', 'ESRCH', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}
