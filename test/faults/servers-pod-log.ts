import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

/** A line of a pod's log that tells what a fault has done. */
export interface PodHappening {
  readonly what: string;
  readonly task: string | null;
  readonly timeMs: number;
  readonly pod: string;
  /** Number of the process under the pod's name. */
  readonly life: number;
  /** How long the machine had no processor for it, when that is what is told. */
  readonly starvedMs?: number;
}

interface LogLine {
  readonly msg?: string;
  readonly reason?: string;
  readonly operation?: string;
  readonly task?: string;
  readonly time?: number | string;
  readonly pod?: string;
  readonly life?: number;
  readonly heldMs?: number;
  readonly processorMs?: number;
}

/** Reads a pod's log as it grows. */
export class PodLog {
  readonly #file: string;
  #position = 0;
  #rest = '';

  constructor(file: string) {
    this.#file = file;
  }

  /** What has come since the last time. */
  news(): readonly PodHappening[] {
    const happenings: PodHappening[] = [];
    for (const line of this.#newLines()) {
      const happening = happeningOf(line);
      if (happening !== null) happenings.push(happening);
    }
    return happenings;
  }

  #newLines(): readonly string[] {
    if (!existsSync(this.#file)) return [];
    const file = openSync(this.#file, 'r');
    try {
      const bytes = Buffer.alloc(fstatSync(file).size - this.#position);
      this.#position += readSync(file, bytes, 0, bytes.length, this.#position);
      const lines = (this.#rest + bytes.toString()).split('\n');
      this.#rest = lines.pop() ?? '';
      return lines;
    } finally {
      closeSync(file);
    }
  }
}

function happeningOf(line: string): PodHappening | null {
  if (!line.startsWith('{') || !line.endsWith('}')) return null; // cut off by a kill, or a warning of Node
  const { msg, reason, operation, task, time, pod, life, heldMs = 0, processorMs = 0 } = JSON.parse(line) as LogLine;
  const told = { task: task ?? null, timeMs: new Date(time ?? 0).getTime(), pod: pod ?? '', life: life ?? 0 };
  if (msg === 'task claimed') return { ...told, what: 'claimed' };
  if (msg === 'task dropped') return { ...told, what: `dropped: ${reason ?? ''}` };
  if (msg === 'held') return heldMs < 2 * processorMs ? { ...told, what: 'held by its own work' } : { ...told, what: 'starved', starvedMs: heldMs };
  if (operation !== undefined) return { ...told, what: `retried: ${operation}` };
  return msg?.startsWith('the state store is behind the group') === true ? { ...told, what: 'read again' } : null;
}

export function counted(happenings: readonly PodHappening[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { what } of happenings) counts[what] = (counts[what] ?? 0) + 1;
  return counts;
}
