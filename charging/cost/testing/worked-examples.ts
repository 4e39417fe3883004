import type { Tariff, TariffRate } from '../../../schemas/generated/tariff.ts';
import type { MeterSample, PricedSession, TimeSpan } from '../priced-session.ts';

/** A line of the table of worked examples in docs/tariffs.md. Amounts as written; null: none. */
export interface WorkedExample {
  readonly number: string;
  readonly tariff: Tariff;
  readonly session: PricedSession;
  readonly amounts: readonly (string | null)[];
  readonly flags: readonly string[];
  readonly calculation: string;
}

/** Reads the tables of tariffs and examples of a page. Throws for a line that it cannot read. */
export function readExamples(page: string): readonly WorkedExample[] {
  const tariffs = new Map(rowsUnder(page, 'Tariffs of the examples').map((cells) => [cells[0] ?? '', tariffOf(cells)]));
  return rowsUnder(page, 'Worked examples').map((cells) => {
    const [number = '', name = '', zone = '', session = ''] = cells;
    const tariff = tariffs.get(name);
    if (tariff === undefined) throw new Error(`example ${number}: there is no tariff ${name}`);
    const amounts = cells.slice(4, 9).map((cell) => (cell === '—' ? null : cell));
    const [flags = '', calculation = ''] = cells.slice(9);
    return { number, tariff, session: sessionOf(session, zone), amounts, flags: flags === '' ? [] : flags.split(' '), calculation };
  });
}

/** Cells of the first table behind a heading, without its two header lines. */
function rowsUnder(page: string, heading: string): readonly (readonly string[])[] {
  const section = page.split(new RegExp(`\\n#+ ${heading}\\n`))[1]?.split(/\n#+ /)[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|')).slice(2);
  return lines.map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim().replaceAll('`', '')));
}

function tariffOf(cells: readonly string[]): Tariff {
  const [tariffId = '', currency = '', start = '', energy = '', charging = '', idle = '', free = '', stepWh = '', stepSeconds = '', rates = ''] = cells;
  return {
    tariffId, currency, validFromMs: 0, startFeeMicro: micro(start), energyPerKwhMicro: micro(energy), chargingPerMinuteMicro: micro(charging),
    idlePerMinuteMicro: micro(idle), idleFreeMinutes: Number(free || 0), energyStepWh: Number(stepWh || 1), timeStepSeconds: Number(stepSeconds || 1),
    rates: rates === '' ? [] : rates.split(';').map((text) => rateOf(text.trim())),
  };
}

const weekdayNames = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** `Fri Sat 22:00-04:00 kWh 0.10, idle 0` */
function rateOf(text: string): TariffRate {
  const match = /^((?:[A-Z][a-z]{2} )*)(\d\d):(\d\d)-(\d\d):(\d\d) (.+)$/.exec(text);
  if (match === null) throw new Error(`not a rate: ${text}`);
  const [, days = '', fromHour, fromMinute, toHour, toMinute, prices = ''] = match;
  const priceOf = (dimension: string): number | null => {
    const price = prices.split(', ').find((part) => part.startsWith(`${dimension} `))?.slice(dimension.length + 1);
    return price === undefined ? null : micro(price);
  };
  return {
    weekdays: days.trim() === '' ? [] : days.trim().split(' ').map((day) => weekdayNames.indexOf(day) + 1),
    fromMinute: Number(fromHour) * 60 + Number(fromMinute),
    toMinute: Number(toHour) * 60 + Number(toMinute),
    energyPerKwhMicro: priceOf('kWh'), chargingPerMinuteMicro: priceOf('charging'), idlePerMinuteMicro: priceOf('idle'),
  };
}

function micro(price: string): number {
  return Math.round(Number(price || 0) * 1e6);
}

const stagePattern = /^(charging|idle|connected|clock back)((?: \d+ (?:h|min|s|ms))+)(?: (\?|-?[\d.]+) (k?)Wh)?$/;
const unitMs = { h: 3_600_000, min: 60_000, s: 1000, ms: 1 };

/** `Thu 2026-05-14 10:00, charging 40 min 12.5 kWh, idle 20 min`: the start on the local clock, then one stage after the other. */
function sessionOf(text: string, timeZone: string): PricedSession {
  const [start = '', ...stages] = text.split(', ');
  const startMs = startOf(start, timeZone);
  let timeMs = startMs;
  const samples: MeterSample[] = [{ timeMs, milliWh: 0 }];
  const spans: TimeSpan[] = [];
  const running = stages.at(-1) === 'still running';
  for (const stage of running ? stages.slice(0, -1) : stages) {
    const match = stagePattern.exec(stage);
    if (match === null) throw new Error(`not a stage: ${stage}`);
    const [, kind, length = '', energy = '0', kilo] = match;
    const fromMs = timeMs;
    const parts = [...length.matchAll(/(\d+) (h|min|s|ms)/g)];
    const lengthMs = parts.reduce((sum, [, count, unit]) => sum + Number(count) * unitMs[unit as keyof typeof unitMs], 0);
    timeMs += kind === 'clock back' ? -lengthMs : lengthMs;
    if (kind === 'charging') spans.push({ fromMs, toMs: timeMs });
    samples.push({ timeMs, milliWh: (samples.at(-1)?.milliWh ?? 0) + Math.round(Number(energy) * (kilo === 'k' ? 1e6 : 1000)) });
  }
  return {
    startMs, stopMs: running ? null : timeMs, timeZone,
    samples: text.includes(' ? ') ? [] : samples,
    charging: text.includes('connected') ? null : spans,
  };
}

function startOf(text: string, zone: string): number {
  const match = /^([A-Z][a-z]{2}) (\d{4}-\d\d-\d\d) (\d\d:\d\d)([+-]\d\d:\d\d)?$/.exec(text);
  if (match === null) throw new Error(`not a start: ${text}`);
  const [, weekday = '', date, time, offset = ''] = match;
  const known = zone.startsWith('Mars') ? 'UTC' : zone;
  const start = Temporal.ZonedDateTime.from(`${date}T${time}${offset}[${known}]`, { disambiguation: 'reject' });
  if (weekdayNames[start.dayOfWeek - 1] !== weekday) throw new Error(`${date} is no ${weekday}`);
  return start.epochMilliseconds;
}
