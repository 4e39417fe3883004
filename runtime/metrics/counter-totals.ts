/** Label values in the order of the metric's label names. */
export type LabelValues = readonly string[];

/**
 * Sums of one metric by label values. Totals of tasks that have left stay in here, so that a counter never goes
 * backwards when a task moves to another process or is claimed again.
 */
export class CounterTotals {
  readonly #totals = new Map<string, { readonly labels: LabelValues; value: number }>();

  add(labels: LabelValues, value: number): void {
    const key = labels.join('\u0000');
    const total = this.#totals.get(key);
    if (total === undefined) this.#totals.set(key, { labels, value });
    else total.value += value;
  }

  addAll(other: CounterTotals): void {
    for (const { labels, value } of other.entries()) this.add(labels, value);
  }

  entries(): IterableIterator<{ readonly labels: LabelValues; readonly value: number }> {
    return this.#totals.values();
  }
}
