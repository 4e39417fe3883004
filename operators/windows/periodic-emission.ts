import { VoltstreamError } from '../../errors.ts';
import type { SlidingWindows } from './sliding-windows.ts';
import type { TimeWindows } from './time-windows.ts';
import { wantPositive } from './window-span.ts';

/** Windows of a coarser size, each made of the finer ones in it whenever it is given. Nothing is kept for them. */
export interface Rollup<K, A> {
  /** A multiple of the size of the windows, and of the next smaller rollup. */
  readonly sizeMs: number;
  /** As `everyMs` of the windows. */
  readonly everyMs: number;
  /** Makes the result of the aggregates of the windows in it, earliest first; at least one. */
  readonly combine: (parts: readonly A[], key: K) => unknown;
}

/** Changed windows from time to time, instead of each change at once or the last one only. */
export interface PeriodicEmission<K, A> {
  readonly everyMs: number;
  /** By the name of the output that they are given by. Only of tumbling windows. */
  readonly rollups?: Readonly<Record<string, Rollup<K, A>>>;
}

/** Rollups with their names, smallest first. Throws TOPOLOGY_INVALID for what does not fit into each other. */
export function checkedRollups<K, A>(
  name: string, windows: TimeWindows | SlidingWindows, emission: PeriodicEmission<K, A>,
): readonly (Rollup<K, A> & { readonly name: string })[] {
  wantPositive(name, 'everyMs', emission.everyMs);
  const rollups = Object.entries(emission.rollups ?? {}).map(([port, rollup]) => ({ ...rollup, name: port })).sort((left, right) => left.sizeMs - right.sizeMs);
  if (windows.kind === 'sliding' || (windows.kind === 'hopping' && rollups.length > 0)) {
    throw new VoltstreamError('TOPOLOGY_INVALID', rollups.length > 0 ? 'only tumbling windows have rollups' : 'only windows that begin at fixed times are given from time to time', {
      where: name, wanted: rollups.length > 0 ? 'tumbling windows' : 'tumbling or hopping windows', got: windows.kind,
    });
  }
  let { sizeMs } = windows;
  for (const rollup of rollups) {
    wantPositive(`${name}, ${rollup.name}`, 'everyMs', rollup.everyMs);
    if (rollup.name === 'late' || !(rollup.sizeMs > sizeMs) || rollup.sizeMs % sizeMs !== 0) {
      throw new VoltstreamError('TOPOLOGY_INVALID', 'a rollup does not fit', {
        where: `${name}, ${rollup.name}`, wanted: `a name other than late, and a multiple of ${sizeMs} ms`, got: `${rollup.name}, ${rollup.sizeMs} ms`,
      });
    }
    ({ sizeMs } = rollup);
  }
  return rollups;
}
