import { verdictText } from '../../simulator/ledger/verify-ledger.ts';
import { isPassed, reportFigures } from './load-report.ts';
import type { LoadReport } from './load-report.ts';
import type { LoadSample } from './samples.ts';
import type { Kill } from './servers/servers-report.ts';

interface Plot {
  readonly title: string;
  readonly unit: string;
  /** `before`: a sample some time before; null: there is none. */
  readonly value: (sample: LoadSample, before: LoadSample | null) => number | null;
}

/** Group offsets are told every two seconds: over less, rates would be steps. */
const RATE_OVER_SECONDS = 2.5;

const perSecond = (name: 'processed' | 'cpuSeconds' | 'sent') => (sample: LoadSample, before: LoadSample | null): number | null =>
  (before === null || sample.seconds <= before.seconds ? null : Math.max(0, (sample[name] - before[name]) / (sample.seconds - before.seconds)));

const plots: readonly Plot[] = [
  { title: 'Throughput', unit: 'records processed a second', value: perSecond('processed') },
  { title: 'Lag', unit: 'messages that wait', value: ({ lag }) => lag },
  { title: 'Latency', unit: 'ms from due to visible, 95th percentile', value: ({ latencyP95Ms }) => latencyP95Ms },
  { title: 'Memory', unit: 'MB resident', value: ({ memoryMb }) => memoryMb },
  { title: 'CPU', unit: 'cores in use', value: perSecond('cpuSeconds') },
];

const WIDTH = 860;
const HEIGHT = 180;
const LEFT = 70;
const BOTTOM = 24;

/** One page with all figures and plots in it; it asks for nothing from anywhere. */
export function loadPage(report: LoadReport): string {
  const { profile, seed, verdict } = report;
  const rows = reportFigures(report).map(([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`).join('\n');
  const correctness = verdict === null ? 'Not compared with the ledger: the run was ended early, and counts as failed.' : verdictText(verdict);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Load test: ${escaped(profile)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 900px; margin: 2em auto; padding: 0 1em; color: #222; background: #fff }
th { text-align: left; font-weight: normal; color: #666; padding-right: 2em } pre { overflow-x: auto; background: #f5f5f5; padding: 1em; font-size: 12px }
.passed { color: #167a3e } .failed { color: #b3261e } svg { width: 100%; height: auto } figure { margin: 1.5em 0 } figcaption { color: #666 }
</style></head><body>
<h1>Load test: ${escaped(profile)}, seed ${escaped(seed)}</h1>
<p class="${isPassed(report) ? 'passed' : 'failed'}"><strong>${isPassed(report) ? 'Passed' : 'Failed'}</strong></p>
<table>${rows}</table>
${plots.map((plot) => plotFigure(plot, report.samples, report.servers?.kills ?? [])).join('\n')}
<h2>Against the ledger</h2>
<pre>${escaped(correctness)}</pre>
</body></html>
`;
}

function plotFigure({ title, unit, value }: Plot, samples: readonly LoadSample[], kills: readonly Kill[]): string {
  let from = 0;
  const points = samples.flatMap((sample, at): readonly (readonly [number, number])[] => {
    while (from + 1 < at && sample.seconds - (samples[from + 1] as LoadSample).seconds >= RATE_OVER_SECONDS) from += 1;
    const found = value(sample, at === 0 ? null : samples[from] ?? null);
    return found === null ? [] : [[sample.seconds, found]];
  });
  const longest = Math.max(1, ...samples.map(({ seconds }) => seconds));
  const highest = niceAbove(Math.max(1e-9, ...points.map(([, y]) => y)));
  const x = (seconds: number): string => (LEFT + (seconds / longest) * (WIDTH - LEFT - 10)).toFixed(1);
  const y = (amount: number): string => (10 + (1 - amount / highest) * (HEIGHT - BOTTOM - 10)).toFixed(1);
  const grid = [0, 0.5, 1].map((part) => `<line x1="${LEFT}" x2="${WIDTH - 10}" y1="${y(part * highest)}" y2="${y(part * highest)}" stroke="#ddd"/>` +
    `<text x="${LEFT - 8}" y="${y(part * highest)}" text-anchor="end" dominant-baseline="middle">${amountText(part * highest)}</text>`).join('');
  const times = [0, 0.25, 0.5, 0.75, 1].map((part) => `<text x="${x(part * longest)}" y="${HEIGHT - 6}" text-anchor="middle">${amountText(part * longest)} s</text>`).join('');
  const deaths = kills.map(({ pod, seconds }) => `<line x1="${x(seconds)}" x2="${x(seconds)}" y1="10" y2="${HEIGHT - BOTTOM}" stroke="#b3261e" stroke-dasharray="4 3"/>` +
    `<text x="${x(seconds)}" y="9" text-anchor="middle" fill="#b3261e">${escaped(pod)} killed</text>`).join('');
  return `<figure><figcaption><strong>${title}</strong>: ${unit}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title} over time" font-size="11" fill="#666">${grid}${times}${deaths}
<polyline fill="none" stroke="#1f6feb" stroke-width="1.5" points="${points.map(([seconds, amount]) => `${x(seconds)},${y(amount)}`).join(' ')}"/></svg></figure>`;
}

/** The next of 1, 2 or 5 times a power of ten. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

function amountText(value: number): string {
  return value >= 10 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(2)));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
