/** Sums of the samples of each of these metrics, whatever their labels, in Prometheus' text form. */
export function metricSums(text: string, names: readonly string[]): ReadonlyMap<string, number> {
  const sums = new Map(names.map((name) => [name, 0]));
  for (const line of text.split('\n')) {
    const name = /^[A-Za-z_:][\w:]*/.exec(line)?.[0];
    if (name === undefined || !sums.has(name)) continue;
    // Labels may hold spaces; the value is behind the last one, and there is no time behind it.
    sums.set(name, (sums.get(name) ?? 0) + Number(line.slice(line.lastIndexOf(' ') + 1)));
  }
  return sums;
}
