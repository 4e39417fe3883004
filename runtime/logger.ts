import { pino } from 'pino';
import type { DestinationStream, Logger as PinoLogger } from 'pino';
import type { Configuration } from './configuration.ts';

export type Logger = PinoLogger;

export interface LoggerOptions {
  readonly level: Configuration['logLevel'];
  /** On every line; the application and, where there are several processes, which one. */
  readonly fields?: Readonly<Record<string, string | number>>;
  /** Standard error unless a test wants to read the lines. */
  readonly destination?: DestinationStream;
}

/**
 * Log lines as JSON on standard error, one object a line, so that standard output stays free for results.
 *
 * Lines are written synchronously: the last line before a kill is the one that matters, and nothing is logged per record.
 * Errors (field `err`) carry their code. Passwords are blanked: fields with such a name, and user information in URLs.
 */
export function createLogger(options: LoggerOptions): Logger {
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
    options.destination ?? pino.destination({ fd: 2, sync: true }),
  );
}

const secretName = /password|secret|token$|authorization/i;

/** Deep enough for a whole configuration; what lies deeper is left out. */
const depthMax = 6;

/** A copy without secrets. (pino's own redaction writes into the object while it prints: a frozen one makes it throw.) */
function blank(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.replaceAll(/\/\/[^\s@/]*@/g, '//***@');
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null || value instanceof Error || value instanceof Date) return value;
  if (depth > depthMax) return '...';
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (Array.isArray(value)) return value.map((part) => blank(part, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, part]: [string, unknown]) =>
    [name, secretName.test(name) && part !== null ? '***' : blank(part, depth + 1)]));
}
