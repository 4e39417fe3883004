/** How figures, tables and times are written on a terminal: plain text, wide enough for people and no wider. */

/** Numbers as ClickHouse's JSON gives them: 64-bit integers may be strings. */
export type Count = string | number;

export interface Painter {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
}

/** Escape sequences where `colour` is wanted: only on a terminal. */
export function painter(colour: boolean): Painter {
  const wrap = (code: number) => (text: string): string => (colour && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { bold: wrap(1), dim: wrap(2) };
}

export const barWidth = 20;

/** A value as a bar, the highest one `barWidth` wide; what is there is seen. */
export function bar(value: Count, most: number): string {
  if (Number(value) <= 0) return '';
  return '#'.repeat(Math.max(1, Math.round((Number(value) / Math.max(1, most)) * barWidth)));
}

/** Names with a number each. */
export function block(title: string, rows: readonly (readonly [name: string, value: Count])[], paint: Painter): readonly string[] {
  const width = Math.max(32, ...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${count(value).padStart(10)}`);
  return [paint.bold(title), ...(lines.length === 0 ? ['  none'] : lines)];
}

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** Least width; a column is as wide as its widest text. */
  readonly width?: number;
}

/** A title over names, figures to the right of them, and a bar where `of` says of what. */
export function table<Row>(
  title: string, rows: readonly Row[], paint: Painter, name: (row: Row) => string, columns: readonly Column<Row>[], of?: (row: Row) => Count,
): readonly string[] {
  if (rows.length === 0) return [paint.bold(title), '  none'];
  const names = rows.map(name);
  const nameWidth = Math.max(14, title.length - 2, ...names.map((text) => text.length));
  const texts = columns.map((column) => rows.map((row) => column.text(row)));
  const widths = columns.map(({ title: head, width = 8 }, index) => Math.max(width, head.length, ...(texts[index] ?? []).map((text) => text.length)));
  const most = of === undefined ? 0 : Math.max(...rows.map((row) => Number(of(row))));
  const lines = rows.map((row, index) => {
    const figures = widths.map((width, at) => `  ${(texts[at]?.[index] ?? '').padStart(width)}`).join('');
    const drawn = of === undefined ? '' : bar(of(row), most);
    return `  ${(names[index] ?? '').padEnd(nameWidth)}${figures}${drawn === '' ? '' : `  ${paint.dim(drawn)}`}`;
  });
  const heads = columns.map(({ title: head }, index) => `  ${paint.dim(head.padStart(widths[index] ?? 0))}`).join('');
  return [`${paint.bold(title.padEnd(nameWidth + 2))}${heads}`, ...lines.map((line) => line.trimEnd())];
}

export function count(value: Count): string {
  return Number(value).toLocaleString('en-GB');
}

export function energy(wattHours: number | null): string {
  return `${((wattHours ?? 0) / 1e6).toLocaleString('en-GB', { minimumFractionDigits: 1, maximumFractionDigits: 1 })} MWh`;
}

export function kiloWattHours(wattHours: number | null): string {
  return `${((wattHours ?? 0) / 1000).toFixed(1)} kWh`;
}

export function duration(minutes: number | null): string {
  const whole = Math.round(minutes ?? 0);
  return whole < 120 ? `${whole} minutes` : `${Math.floor(whole / 60)} h ${whole % 60} min`;
}

/** A share as percent; what is not known is a dash. */
export function percent(share: number | null): string {
  return share === null ? '-' : `${(share * 100).toFixed(1)} %`;
}

export const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
export const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

/** 2017-09-01 as 1 September 2017. */
export function day(iso: string): string {
  const [year = '', month = '', date = ''] = iso.split('-');
  return `${Number(date)} ${months[Number(month) - 1] ?? month} ${year}`;
}

/** 2017-09-01 as September 2017. */
export function month(iso: string): string {
  return day(iso).replace(/^\d+ /, '');
}
