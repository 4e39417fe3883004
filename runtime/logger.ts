import { pino } from 'pino';
import type { DestinationStream, Logger as PinoLogger } from 'pino';
import type { Configuration } from './configuration.ts';
import { prettyLines } from './logger/pretty-lines.ts';
import { redactionOf } from './logger/redaction.ts';
import type { Redaction } from './logger/redaction.ts';

export type Logger = PinoLogger;

export interface LoggerOptions {
  readonly level: Configuration['logLevel'];
  /** `json` (when left out): one object a line; `pretty`: for people. */
  readonly format?: 'json' | 'pretty';
  /** On every line; the application and, where there are several processes, which one. */
  readonly fields?: Readonly<Record<string, string | number>>;
  /** Takes the secrets of the configuration out of every line. Left out: only what looks like one. */
  readonly redaction?: Redaction;
  /** Standard error unless a test wants to read the lines. */
  readonly destination?: DestinationStream;
}

/**
 * Log lines as JSON on standard error, one object a line, so that standard output stays free for results.
 *
 * Lines are written synchronously: the last line before a kill is the one that matters, and nothing is logged per record.
 * Errors (field `err`) carry their code. Passwords are blanked: known values wherever they stand, fields with such a name, and user
 * information in URLs.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { redaction = redactionOf([]) } = options;
  const destination = options.destination ?? pino.destination({ fd: 2, sync: true });
  const lines = options.format === 'pretty' ? prettyLines(destination) : destination;
  return pino(
    {
      level: options.level,
      base: { ...options.fields },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => blank(fields, 0) as Record<string, unknown>,
      },
      serializers: { err: (error: Error) => blank({ ...pino.stdSerializers.err(error) }, 0) },
    },
    { write: (line) => lines.write(redaction.text(line)) },
  );
}

const secretName = /password|secret|token$|authorization/i;

/** Deep enough for a whole configuration; what lies deeper is left out. */
const depthMax = 6;

/** A copy without secrets. (pino's own redaction writes into the object while it prints: a frozen one makes it throw.) */
function blank(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null || value instanceof Error || value instanceof Date) return value;
  if (depth > depthMax) return '...';
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (Array.isArray(value)) return value.map((part) => blank(part, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, part]: [string, unknown]) =>
    [name, secretName.test(name) && part !== null ? '***' : blank(part, depth + 1)]));
}
