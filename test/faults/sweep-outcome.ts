import { expect } from 'vitest';

/** Texts that came out, by sink and by the key that they begin with: what has one key comes in one order. */
export type Outcome = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export function byKey(texts: readonly string[]): Record<string, string[]> {
  const keys: Record<string, string[]> = {};
  for (const text of [...texts].sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : keyOf(left) > keyOf(right) ? 1 : 0))) {
    (keys[keyOf(text)] ??= []).push(text);
  }
  return keys;
}

const keyOf = (text: string): string => text.slice(0, text.indexOf(' '));

/** Every n-th call fails once; what came out differs in nothing. Gives what does differ. */
export async function sweep<T>(calm: T, calls: number, run: (n: number) => Promise<T> | T, atOnce = 1): Promise<readonly unknown[]> {
  const differing: unknown[] = [];
  const numbers = Array.from({ length: calls }, (_, index) => index + 1).values();
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (const n of numbers) {
      try {
        expect(await run(n)).toEqual(calm);
      } catch (error) {
        differing.push({ n, error: error instanceof Error ? error.message : error });
      }
    }
  }));
  return differing;
}
