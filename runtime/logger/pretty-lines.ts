import { styleText } from 'node:util';

/** Where lines go, as pino has it. */
interface LineStream {
  write(text: string): void;
}

const colours = { trace: 'gray', debug: 'gray', info: 'cyan', warn: 'yellow', error: 'red', fatal: 'red' } as const;
const leftOut = new Set(['level', 'time', 'msg', 'err', 'application', 'pod']);

interface Line {
  readonly level?: string;
  readonly time?: string;
  readonly msg?: string;
  readonly err?: { readonly message?: string };
}

/** Log lines for people: time of day, level, message, then the fields; the message of an error below. Application and pod are left out. */
export function prettyLines(to: LineStream): LineStream {
  return { write: (text) => to.write(`${text.split('\n').filter((line) => line !== '').map(pretty).join('\n')}\n`) };
}

function pretty(text: string): string {
  const line = JSON.parse(text) as Line & Readonly<Record<string, unknown>>;
  const { level = 'info', time = '', msg = '', err } = line;
  const fields = Object.entries(line).filter(([name]) => !leftOut.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const colour = colours[level as keyof typeof colours] ?? 'white';
  const head = `${time.slice(11, 23)} ${styleText(colour, level.toUpperCase().padEnd(5))} ${msg}`;
  const rest = fields.length === 0 ? '' : `  ${styleText('gray', fields.join(' '))}`;
  return `${head}${rest}${err?.message === undefined ? '' : `\n  ${err.message.replaceAll('\n', '\n  ')}`}`;
}
