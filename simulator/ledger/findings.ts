/** What a comparison with the ledger came to, of one table. */
export interface TableFindings {
  readonly table: string;
  /** What was compared. */
  readonly compared: number;
  /** What a fault has left unknowable, or knowable only in sum. */
  readonly notKnowable: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly wrong: number;
  /** The first of each, in words. */
  readonly examples: readonly string[];
}

const EXAMPLES_MAX = 8;

/** Collects the findings of a table while it is read. */
export class Findings {
  readonly #table: string;
  readonly #examples: string[] = [];
  compared = 0;
  notKnowable = 0;
  #lost = 0;
  #duplicated = 0;
  #wrong = 0;

  constructor(table: string) {
    this.#table = table;
  }

  lost(what: string, count = 1): void {
    this.#lost += count;
    this.#example(`lost: ${what}`, this.#lost - count);
  }

  duplicated(what: string, count = 1): void {
    this.#duplicated += count;
    this.#example(`duplicated: ${what}`, this.#duplicated - count);
  }

  wrong(what: string, count = 1): void {
    this.#wrong += count;
    this.#example(`wrong: ${what}`, this.#wrong - count);
  }

  get result(): TableFindings {
    return {
      table: this.#table, compared: this.compared, notKnowable: this.notKnowable, lost: this.#lost, duplicated: this.#duplicated, wrong: this.#wrong,
      examples: [...this.#examples],
    };
  }

  /** Of each sort the first ones. */
  #example(text: string, before: number): void {
    if (before < EXAMPLES_MAX) this.#examples.push(text);
  }
}
