import { randomFrom } from '../seeded-random.ts';
import type { CaseInput, Text } from './case.ts';

/** A case without its answer: what the oracle is asked. */
export interface Question {
  readonly id: string;
  readonly op: string;
  readonly inputs: readonly CaseInput[];
  readonly [parameter: string]: unknown;
}

/** Choices of one case. */
class Chance {
  readonly #random: () => number;
  #serial = 0;

  constructor(seed: number) {
    this.#random = randomFrom(seed);
  }

  /** A whole number in [from, to]. */
  between(from: number, to: number): number {
    return from + Math.floor(this.#random() * (to - from + 1));
  }

  of<T>(...choices: readonly T[]): T {
    return choices[this.between(0, choices.length - 1)] as T;
  }

  happens(probability: number): boolean {
    return this.#random() < probability;
  }

  key(nullShare: number): Text {
    return this.happens(nullShare) ? null : this.of('a', 'b', 'c', 'd');
  }

  /** A number as text, or null. */
  number(nullShare: number): Text {
    return this.happens(nullShare) ? null : String(this.between(0, 99));
  }

  /** A text that no other input of the case has, or null. */
  name(nullShare: number): Text {
    return this.happens(nullShare) ? null : `v${this.#serial++}`;
  }

  /** Times that mostly go on, sometimes stand, jump far ahead, or lie back by up to `backMs`. */
  times(count: number, stepMs: number, backMs: number): readonly number[] {
    let now = this.of(0, 1_000, 100_000);
    return Array.from({ length: count }, () => {
      if (this.happens(0.05)) now += stepMs * this.between(5, 20);
      else if (!this.happens(0.15)) now += this.between(0, stepMs);
      return Math.max(0, this.happens(0.3) ? now - this.between(0, backMs) : now);
    });
  }
}

type Ask = (chance: Chance) => { readonly op: string; readonly inputs: readonly CaseInput[]; readonly [parameter: string]: unknown };

const count = (chance: Chance): number => chance.between(8, 60);
/** Inputs of one topic. */
const single = (chance: Chance, stepMs: number, backMs: number, value: () => Text, nullKeys: number): readonly CaseInput[] =>
  chance.times(count(chance), stepMs, backMs).map((ts) => ({ topic: 'in', key: chance.key(nullKeys), value: value(), ts }));
/** Inputs of two topics. */
const pair = (chance: Chance, stepMs: number, backMs: number, make: (topic: string) => { readonly key: Text; readonly value: Text }): readonly CaseInput[] =>
  chance.times(count(chance), stepMs, backMs).map((ts) => {
    const topic = chance.of('left', 'right');
    return { topic, ...make(topic), ts };
  });

const steps = ['filter-even', 'filterNot-even', 'mapValues-plus1', 'selectKey-mod3', 'flatMapValues-twice'];

/** What may be asked, by family; parameters go a little beyond those of the vectors. */
export const questions: Readonly<Record<string, Ask>> = {
  stateless: (chance) => ({
    op: 'stateless-chain',
    // Keys and values are numbers, so that any step may follow a swap; one swap at most, since it may bring a null.
    steps: Array.from({ length: chance.between(1, 4) }, () => chance.of(...steps)).concat(chance.happens(0.3) ? ['map-swap'] : []),
    end: chance.of('to', 'split', 'merge-with-original'),
    inputs: chance.times(count(chance), 20, 30).map((ts) => ({ topic: 'in', key: String(chance.between(0, 9)), value: chance.number(0), ts })),
  }),
  aggregate: (chance) => {
    const op = chance.of('stream-aggregate', 'stream-reduce', 'table-aggregate');
    return {
      op,
      aggregate: op === 'table-aggregate' ? chance.of('count', 'sum')
        : op === 'stream-reduce' ? chance.of('sum', 'min', 'max') : chance.of('count', 'sum', 'min', 'max', 'collect'),
      inputs: single(chance, 30, 60, () => chance.number(0.2), 0.1),
    };
  },
  window: (chance) => {
    const sizeMs = chance.of(10, 20, 50, 100);
    const graceMs = chance.of(0, 5, 25, 100);
    const type = chance.of('tumbling', 'hopping', 'sliding');
    return {
      op: 'window-aggregate',
      window: type === 'sliding' ? { type, timeDifferenceMs: sizeMs, graceMs }
        : { type, sizeMs, ...(type === 'hopping' ? { advanceMs: chance.of(sizeMs / 2, sizeMs / 5, sizeMs - 1) } : {}), graceMs },
      aggregate: chance.of('count', 'sum', 'max', 'collect'),
      emit: chance.of('update', 'final'),
      inputs: single(chance, sizeMs, sizeMs * 3, () => chance.number(0), 0.05),
    };
  },
  session: (chance) => {
    const gapMs = chance.of(5, 10, 50);
    return {
      op: 'session-aggregate',
      window: { type: 'session', gapMs, graceMs: chance.of(0, 5, 20, 100) },
      aggregate: chance.of('count', 'sum', 'max'),
      emit: chance.of('update', 'final'),
      inputs: single(chance, gapMs, gapMs * 4, () => chance.number(0), 0.05),
    };
  },
  suppress: (chance) => {
    const limitMs = chance.of(5, 20, 50, 200);
    return { op: 'suppress-time-limit', aggregate: 'collect', limitMs, inputs: single(chance, limitMs, limitMs * 2, () => chance.name(0), 0) };
  },
  'stream-join': (chance) => {
    const window = { beforeMs: chance.of(0, 10, 50, 100), afterMs: chance.of(0, 10, 50, 100), graceMs: chance.of(1, 5, 20, 100) };
    return {
      op: 'stream-stream-join', join: chance.of('inner', 'left', 'outer'), window,
      inputs: pair(chance, 20, window.beforeMs + window.afterMs + 50, () => ({ key: chance.key(0.08), value: chance.name(0.08) })),
    };
  },
  'table-join': (chance) => {
    const op = chance.of('stream-table-join', 'table-table-join', 'stream-globaltable-join');
    if (op === 'stream-globaltable-join') {
      return {
        op, join: chance.of('inner', 'left'), lookup: 'value',
        inputs: pair(chance, 20, 40, (topic) => (topic === 'left'
          ? { key: chance.key(0.1), value: chance.happens(0.1) ? null : chance.key(0) }
          : { key: chance.key(0), value: chance.name(0.2) })),
      };
    }
    return {
      op, join: op === 'table-table-join' ? chance.of('inner', 'left', 'outer') : chance.of('inner', 'left'),
      inputs: pair(chance, 20, 40, () => ({ key: chance.key(0.06), value: chance.name(0.25) })),
    };
  },
  'foreign-key-join': (chance) => ({
    op: 'foreign-key-join', join: chance.of('inner', 'left'), foreignKey: "the left value up to '|'",
    inputs: pair(chance, 20, 40, (topic) => {
      const name = chance.name(0.2);
      if (topic === 'right') return { key: chance.of('x', 'y', 'z'), value: name };
      // Now and then the very same value again: nothing but its time has changed.
      const value = chance.happens(0.15) ? 'x|same' : name === null ? null : `${chance.of('x', 'y', 'z')}|${name}`;
      return { key: chance.key(0), value };
    }),
  }),
  'versioned-join': (chance) => ({
    op: 'versioned-stream-table-join', join: chance.of('inner', 'left'),
    historyRetentionMs: chance.of(100, 500, 100_000), graceMs: chance.of(0, 50, 100),
    inputs: pair(chance, 30, 150, (topic) => ({ key: chance.key(0), value: chance.name(topic === 'right' ? 0.2 : 0) })),
  }),
};

/** Questions of one family; the same seed gives the same. */
export function ask(family: string, seed: number, cases: number): readonly Question[] {
  const question = questions[family];
  if (question === undefined) throw new Error(`no such family: ${family}; there are ${Object.keys(questions).join(', ')}`);
  return Array.from({ length: cases }, (_unused, index): Question => {
    const { op, inputs, ...parameters } = question(new Chance(seed * 1_000_003 + index));
    return { id: `${family}-${seed}-${index}`, op, inputs, ...parameters };
  });
}
