/**
 * One value of the configuration: what it may be, what it is when nobody says anything, and why.
 *
 * `parse` takes what a YAML file gives (numbers, lists, booleans) and what environment variables and flags give (text). It
 * throws a plain Error whose message says what is wanted; the reader of the configuration adds where the value came from.
 */
export interface Setting<T> {
  readonly setting: true;
  /** What is allowed, for the table of the documentation: `integer >= 1`, `kafka or embedded`. */
  readonly allowed: string;
  readonly default: T;
  /** Why this default, and what the value does. */
  readonly reason: string;
  /** Passwords: never printed. `url`: the user information inside is not printed. */
  readonly secrecy: 'open' | 'secret' | 'url';
  /** A flag of its own on the command line, without dashes; all others are given by `--set path=value`. */
  readonly alias: string | null;
  parse(raw: unknown): T;
}

interface SettingText<T> {
  readonly default: T;
  readonly reason: string;
  readonly secrecy?: 'open' | 'secret' | 'url';
  readonly alias?: string;
}

function setting<T>(text: SettingText<T>, allowed: string, parse: (raw: unknown) => T): Setting<T> {
  return {
    setting: true, allowed, default: text.default, reason: text.reason, secrecy: text.secrecy ?? 'open',
    alias: text.alias ?? null, parse,
  };
}

/** A whole number within limits; text may group digits as 8_388_608. */
export function integer(text: SettingText<number>, minimum: number, maximum = Number.MAX_SAFE_INTEGER): Setting<number> {
  const allowed = maximum === Number.MAX_SAFE_INTEGER ? `integer >= ${minimum}` : `integer from ${minimum} to ${maximum}`;
  return setting(text, allowed, (raw) => wholeNumber(raw, minimum, maximum, allowed));
}

/** A whole number within limits, or null when it is not set; empty text is the same as not set. */
export function optionalInteger(text: SettingText<number | null>, minimum: number, maximum: number): Setting<number | null> {
  const allowed = `integer from ${minimum} to ${maximum}, or not set`;
  return setting<number | null>(text, allowed, (raw) => (raw === null || raw === '' ? null : wholeNumber(raw, minimum, maximum, allowed)));
}

function wholeNumber(raw: unknown, minimum: number, maximum: number, allowed: string): number {
  const value = typeof raw === 'string' && /^-?\d[\d_]*$/.test(raw.trim()) ? Number(raw.trim().replaceAll('_', '')) : raw;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < minimum || value > maximum) throw new Error(allowed);
  return value;
}

export function choice<const C extends string>(choices: readonly C[], text: SettingText<NoInfer<C>>): Setting<C> {
  const allowed = choices.join(' or ');
  return setting<C>(text, allowed, (raw) => {
    const found = choices.find((one) => one === raw);
    if (found === undefined) throw new Error(allowed);
    return found;
  });
}

export function flag(text: SettingText<boolean>): Setting<boolean> {
  return setting(text, 'true or false', (raw) => {
    if (raw === true || raw === 'true') return true;
    if (raw === false || raw === 'false') return false;
    throw new Error('true or false');
  });
}

/** Text that is never empty. */
export function words(text: SettingText<string>, pattern = /\S/, allowed = 'text'): Setting<string> {
  return setting(text, allowed, (raw) => {
    if (typeof raw !== 'string' || !pattern.test(raw)) throw new Error(allowed);
    return raw;
  });
}

/** Text, or null when it is not set; empty text is the same as not set. */
export function optional(text: SettingText<string | null>, pattern = /\S/, allowed = 'text'): Setting<string | null> {
  return setting<string | null>(text, `${allowed}, or not set`, (raw) => {
    if (raw === null || raw === '') return null;
    if (typeof raw !== 'string' || !pattern.test(raw)) throw new Error(allowed);
    return raw;
  });
}

/** A list of texts; in environment variables and flags separated by commas. */
export function list(text: SettingText<readonly string[]>, pattern = /\S/, allowed = 'list of text'): Setting<readonly string[]> {
  return setting<readonly string[]>(text, allowed, (raw) => {
    const parts: unknown = typeof raw === 'string' ? raw.split(',').map((part) => part.trim()).filter((part) => part !== '') : raw;
    if (!Array.isArray(parts)) throw new Error(allowed);
    return parts.map((part: unknown) => {
      if (typeof part !== 'string' || !pattern.test(part)) throw new Error(allowed);
      return part;
    });
  });
}
