/** What a run wrote, and whether that is what another one wrote. */
import { createHash } from 'node:crypto';
import type { Log } from '../../runtime/log/log.ts';
import type { Workload } from './workloads.ts';

export interface Output {
  readonly records: number;
  /** The last value of each key, both as Latin-1 text of their bytes; keys whose last value was null are gone. */
  readonly last: ReadonlyMap<string, string>;
  /** Keys that came more than once. */
  readonly repeated: number;
}

export async function readOutput(log: Log, topic: string, partitions: number): Promise<Output> {
  const last = new Map<string, string>();
  const seen = new Set<string>();
  let records = 0;
  let repeated = 0;
  for (let partition = 0; partition < partitions; partition++) {
    const { start, end } = await log.bounds({ topic, partition });
    for await (const batch of log.read({ topic, partition }, start, end)) {
      for (const record of batch.records) {
        records += 1;
        const key = Buffer.from(record.key ?? []).toString('latin1');
        if (seen.has(key)) repeated += 1;
        seen.add(key);
        if (record.value === null) last.delete(key);
        else last.set(key, Buffer.from(record.value).toString('latin1'));
      }
    }
  }
  return { records, last, repeated };
}

/** The same for outputs without a difference, whatever the order in which their keys came. */
export function digestOf({ last }: Output): string {
  const hash = createHash('sha256');
  for (const key of [...last.keys()].toSorted()) {
    for (const text of [key, last.get(key) as string]) hash.update(`${text.length}:`).update(text, 'latin1');
  }
  return hash.digest('hex');
}

/** Why two outputs are not equal, as a sentence; null when they are. */
export function difference(workload: Workload, one: Output, other: Output): string | null {
  if (one.last.size === 0) return 'there is no output at all';
  if (workload === 'b' && (one.repeated > 0 || other.repeated > 0)) return `windows came more than once: ${one.repeated} and ${other.repeated}`;
  const wrong = [...one.last].filter(([key, value]) => other.last.get(key) !== value);
  if (wrong.length === 0 && one.last.size === other.last.size) return null;
  const examples = wrong.slice(0, 3).map(([key, value]) => `${hex(key)}: ${hex(value)} and ${hex(other.last.get(key) ?? '')}`);
  return `${one.last.size} and ${other.last.size} keys, ${wrong.length} of the first with another last value${examples.length === 0 ? '' : `, as ${examples.join('; ')}`}`;
}

function hex(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex');
}
