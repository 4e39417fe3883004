import type { Codec } from '../../schemas/codec.ts';
import { keyIdentity, type KeyIdentity } from '../../state/local/key-identity.ts';

interface Waiting<K> {
  readonly timeMs: number;
  readonly identity: string;
  readonly key: K;
}

/** Keys by (time, key bytes), each once, to be taken from the front: a binary heap beside a buffer that evicts single entries. */
export class EvictionOrder<K> {
  readonly #identity: KeyIdentity<K>;
  readonly #heap: Waiting<K>[] = [];

  constructor(key: Codec<K>) {
    this.#identity = keyIdentity(key);
  }

  get first(): { readonly timeMs: number; readonly key: K } | undefined {
    return this.#heap[0];
  }

  add(key: K, timeMs: number): void {
    const added: Waiting<K> = { timeMs, identity: this.#identity.of(key), key };
    const heap = this.#heap;
    let at = heap.length;
    heap.push(added);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = heap[parent] as Waiting<K>;
      if (this.#compare(above, added) <= 0) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = added;
  }

  removeFirst(): void {
    const heap = this.#heap;
    const moved = heap.pop();
    const { length } = heap;
    if (moved === undefined || length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && this.#compare(heap[child + 1] as Waiting<K>, heap[child] as Waiting<K>) < 0) child += 1;
      if (this.#compare(heap[child] as Waiting<K>, moved) >= 0) break;
      heap[at] = heap[child] as Waiting<K>;
      at = child;
    }
    heap[at] = moved;
  }

  #compare(left: Waiting<K>, right: Waiting<K>): number {
    return left.timeMs - right.timeMs || this.#identity.compare(left.identity, right.identity);
  }
}
