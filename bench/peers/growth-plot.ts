/** Plots of `growth.ts`: what a record costs, over each thing that was varied, as one SVG. */

export interface Shape {
  readonly keys: number;
  readonly partitions: number;
  /** Of a record's value. */
  readonly bytes: number;
  readonly pods: number;
}

export interface GrowthPoint extends Shape {
  readonly records: number;
  readonly recordsPerSecond: number;
  /** Of all pods and Redis. */
  readonly secondsPerMillion: number;
  /** Of all pods, the highest resident memory of each. */
  readonly podMegabytes: number;
  readonly redisMegabytes: number;
}

const width = 230;
const height = 150;
const gap = 60;
const axes = [['keys', 'live keys'], ['partitions', 'partitions'], ['bytes', 'bytes of a value'], ['pods', 'pods']] as const;
const rows = [
  ['recordsPerSecond', 'records/s'], ['secondsPerMillion', 'CPU-s per million'], ['podMegabytes', 'MB of the pods'],
] as const;

/** A row for each figure, a column for each thing varied; the median where there were several rounds. Logarithmic to the right, from 0 upwards. */
export function drawGrowth(points: readonly GrowthPoint[], usual: Shape): string {
  const panels = rows.flatMap(([figure, figureText], row) => axes.map(([axis, axisText], column) => {
    const varied = points.filter((point) => axes.every(([other]) => other === axis || point[other] === usual[other]));
    const places = [...new Set(varied.map((point) => point[axis]))].toSorted((left, right) => left - right);
    const dots = places.map((place): Dot => [place, median(varied.filter((point) => point[axis] === place).map((point) => point[figure]))]);
    return `<g transform="translate(${gap + column * (width + gap)} ${gap / 2 + row * (height + gap)})">${panel(dots, `${figureText} over ${axisText}`)}</g>`;
  }));
  const size = [gap + axes.length * (width + gap), gap / 2 + rows.length * (height + gap)];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size[0]} ${size[1]}" font-family="sans-serif" font-size="11">\n<rect width="100%" height="100%" fill="white"/>\n${panels.join('\n')}\n</svg>\n`;
}

/** The same in Markdown, in the order of their measuring. */
export function growthTable(points: readonly GrowthPoint[]): string {
  const lines = points.map(({ keys, partitions, bytes, pods, recordsPerSecond, secondsPerMillion, podMegabytes, redisMegabytes }) =>
    [keys, partitions, bytes, pods, Math.round(recordsPerSecond), Number(secondsPerMillion.toFixed(1)), Math.round(podMegabytes), Math.round(redisMegabytes)]
      .map((value) => value.toLocaleString('en-US')).join(' | '));
  return ['live keys | partitions | bytes of a value | pods | records/s | CPU-s per million, pods and Redis | peak MB, pods | peak MB, Redis', '---|---|---|---|---|---|---|---', ...lines]
    .map((line) => `| ${line} |\n`).join('');
}

type Dot = readonly [place: number, value: number];

function panel(dots: readonly Dot[], title: string): string {
  const logs = dots.map(([place]) => Math.log10(place));
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  const top = Math.max(...dots.map(([, value]) => value)) * 1.1;
  const x = (place: number): string => (high === low ? width / 2 : (Math.log10(place) - low) / (high - low) * width).toFixed(1);
  const y = (value: number): string => (height - value / top * height).toFixed(1);
  const marks = dots.map(([place, value]) => `<circle cx="${x(place)}" cy="${y(value)}" r="3" fill="#1565c0"/>`
    + `<text x="${x(place)}" y="${height + 14}" text-anchor="middle">${placeText(place)}</text>`
    + `<text x="${x(place)}" y="${Number(y(value)) - 6}" text-anchor="middle" fill="#1565c0">${short(value)}</text>`);
  return `<text x="0" y="-8" font-weight="bold">${title}</text><path d="M0 0V${height}H${width}" fill="none" stroke="#888"/>`
    + `<polyline fill="none" stroke="#1565c0" points="${dots.map(([place, value]) => `${x(place)},${y(value)}`).join(' ')}"/>${marks.join('')}`;
}

/** Short, so that the names of neighbours do not touch. */
function placeText(place: number): string {
  return place >= 1_000_000 ? `${place / 1_000_000} million` : place.toLocaleString('en-US');
}

function short(value: number): string {
  return value >= 10_000 ? `${Math.round(value / 1_000)} k` : value >= 100 ? String(Math.round(value)) : value.toFixed(1);
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
