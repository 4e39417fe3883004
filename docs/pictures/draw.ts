/** Small pictures of records and windows as SVG. Nothing here knows the engine: it draws what it is given. */

/** A record, by its place in the order of arrival. */
export interface Arrival {
  readonly key: string;
  readonly seconds: number;
  readonly late: boolean;
}

export interface ClosedWindow {
  readonly key: string;
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly result: number;
  /** Number of the record that closed it, from 1. */
  readonly closedBy: number;
}

export interface ArrivalPanel {
  readonly title: string;
  readonly arrivals: readonly Arrival[];
  readonly windows: readonly ClosedWindow[];
  /** One line of time for all records, or one for each key. */
  readonly timeByKey: boolean;
  readonly untilSeconds: number;
}

export interface WindowKind {
  readonly title: string;
  readonly windows: readonly ClosedWindow[];
}

const width = 720;
const left = 160;
const right = 20;
const rowHeight = 22;
const ink = '#1f2933';
const faint = '#cbd2d9';
const colours = ['#2563eb', '#c2410c'];
const lateColour = '#dc2626';

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const text = (x: number, y: number, content: string, extra = ''): string => `<text x="${x}" y="${y}" ${extra}>${escape(content)}</text>`;

function page(height: number, body: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="${ink}">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...body,
    '</svg>', '',
  ].join('\n');
}

function scale(untilSeconds: number): (seconds: number) => number {
  return (seconds) => Math.round((left + (seconds / untilSeconds) * (width - left - right)) * 10) / 10;
}

function axis(x: (seconds: number) => number, untilSeconds: number, stepSeconds: number, fromY: number, toY: number): readonly string[] {
  const lines: string[] = [];
  for (let at = 0; at <= untilSeconds; at += stepSeconds) {
    lines.push(`<line x1="${x(at)}" y1="${fromY}" x2="${x(at)}" y2="${toY}" stroke="${faint}"/>`);
    lines.push(text(x(at), toY + 14, `${at} s`, 'text-anchor="middle"'));
  }
  return lines;
}

/** Records by event time (to the right) and arrival (down), the stream time as a line of steps, the windows that closed below. */
export function drawArrivals(panels: readonly ArrivalPanel[]): string {
  const body: string[] = [];
  let top = 0;
  for (const panel of panels) {
    const drawn = arrivalPanel(panel, top);
    body.push(...drawn.body);
    top += drawn.height;
  }
  return page(top, body);
}

function arrivalPanel({ title, arrivals, windows, timeByKey, untilSeconds }: ArrivalPanel, top: number): { readonly body: readonly string[]; readonly height: number } {
  const x = scale(untilSeconds);
  const y = (index: number): number => top + 52 + index * rowHeight;
  const bottom = y(arrivals.length);
  const keys = [...new Set(arrivals.map(({ key }) => key))];
  const colourOf = (key: string): string => colours[keys.indexOf(key) % colours.length] as string;
  const body = [text(10, top + 22, title, 'font-weight="600" font-size="14"'), ...axis(x, untilSeconds, 20, top + 36, bottom)];
  for (const key of timeByKey ? keys : [null]) {
    const steps = streamTimeSteps(arrivals, key, x, y);
    body.push(`<path d="${steps}" fill="none" stroke="${key === null ? ink : colourOf(key)}" stroke-dasharray="4 3"/>`);
  }
  for (const [index, { key, seconds, late }] of arrivals.entries()) {
    const name = keys.length > 1 ? `${index + 1}. ${key}` : `${index + 1}.`;
    body.push(text(left - 14, y(index) + 4, `${name} ${late ? 'late' : ''}`.trim(), `text-anchor="end"${late ? ` fill="${lateColour}"` : ''}`));
    body.push(`<circle cx="${x(seconds)}" cy="${y(index)}" r="6" ${late ? `fill="#ffffff" stroke="${lateColour}" stroke-width="2"` : `fill="${colourOf(key)}"`}/>`);
  }
  for (const [index, { key, fromSeconds, toSeconds, result, closedBy }] of windows.entries()) {
    const at = bottom + 26 + index * rowHeight;
    body.push(`<rect x="${x(fromSeconds)}" y="${at}" width="${x(toSeconds) - x(fromSeconds)}" height="16" rx="3" fill="${colourOf(key)}" fill-opacity="0.2" stroke="${colourOf(key)}"/>`);
    body.push(text((x(fromSeconds) + x(toSeconds)) / 2, at + 12, `${result} record${result === 1 ? '' : 's'}`, 'text-anchor="middle"'));
    body.push(text(left - 14, at + 12, `${keys.length > 1 ? `${key}, ` : ''}closed by ${closedBy}.`, 'text-anchor="end"'));
  }
  return { body, height: bottom + 36 + windows.length * rowHeight - top };
}

/** The highest time so far, of all records or of one key's, record by record. */
function streamTimeSteps(
  arrivals: readonly Arrival[], ofKey: string | null, x: (seconds: number) => number, y: (index: number) => number,
): string {
  const first = arrivals.findIndex(({ key }) => ofKey === null || key === ofKey);
  let highest = 0;
  const steps = arrivals.map(({ key, seconds }, index) => {
    if (index < first) return '';
    if (ofKey === null || key === ofKey) highest = Math.max(highest, seconds);
    return `${index === first ? 'M' : 'H'}${x(highest)}${index === first ? ` ${y(index)}` : ''} V${y(index + 1) - rowHeight / 2}`;
  });
  return steps.join(' ').trim();
}

/** The same records in windows of several kinds, each window with the number of its records. */
export function drawWindowKinds(seconds: readonly number[], kinds: readonly WindowKind[], untilSeconds: number): string {
  const x = scale(untilSeconds);
  const body: string[] = [text(left - 14, 34, 'records', 'text-anchor="end"')];
  const marks = seconds.map((at) => `<circle cx="${x(at)}" cy="30" r="6" fill="${colours[0]}"/>`);
  let top = 54;
  for (const [index, { title, windows }] of kinds.entries()) {
    const lanes = inLanes(windows);
    body.push(text(left - 14, top + 12, title, 'text-anchor="end" font-weight="600"'));
    for (const { window, lane } of lanes) {
      const { fromSeconds, toSeconds, result } = window;
      const at = top + lane * 20;
      const colour = colours[index % colours.length] as string;
      const span = Math.max(x(toSeconds) - x(fromSeconds), 3);
      body.push(`<rect x="${x(fromSeconds)}" y="${at}" width="${span}" height="16" rx="3" fill="${colour}" fill-opacity="0.2" stroke="${colour}"/>`);
      body.push(text(x(fromSeconds) + span / 2, at + 12, String(result), 'text-anchor="middle"'));
    }
    top += (Math.max(0, ...lanes.map(({ lane }) => lane)) + 1) * 20 + 14;
  }
  return page(top + 24, [...axis(x, untilSeconds, 10, 16, top), ...body, ...marks]);
}

/** Puts windows that overlap below one another. */
function inLanes(windows: readonly ClosedWindow[]): readonly { readonly window: ClosedWindow; readonly lane: number }[] {
  const ends: number[] = [];
  return [...windows].sort((a, b) => a.fromSeconds - b.fromSeconds || a.toSeconds - b.toSeconds).map((window) => {
    const free = ends.findIndex((end) => end <= window.fromSeconds);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = Math.max(window.toSeconds, window.fromSeconds + 4);
    return { window, lane };
  });
}
