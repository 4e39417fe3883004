/** Options of the scripts under `bench/` and `test/`: what each script shares with the others when it reads its command line. */
import { Command, InvalidArgumentError, Option } from 'commander';

/** Says what a script measures and needs with `--help`; ends with code 2 when it is called wrongly, as 1 means that something was found. */
export function script(usage: string, description: string): Command {
  return new Command(usage).description(description).exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}

/** A whole number from `from` on; without it, any. */
export function whole(from = Number.MIN_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = numberOf(text);
    if (Number.isSafeInteger(value) && value >= from) return value;
    throw new InvalidArgumentError(`Wanted: a whole number${from === Number.MIN_SAFE_INTEGER ? '' : ` from ${from}`}.`);
  };
}

export function aboveZero(text: string): number {
  const value = numberOf(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Wanted: a number above 0.');
}

export function even(from: number): (text: string) => number {
  return (text) => {
    const value = whole(from)(text);
    if (value % 2 === 0) return value;
    throw new InvalidArgumentError(`Wanted: an even number from ${from}.`);
  };
}

/** What `read` makes of the text; its errors are those of the option. */
export function readBy<T>(read: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return read(text);
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
  };
}

export function oneOf<T extends string>(known: readonly T[]): (text: string) => T {
  return (text) => {
    const found = known.find((one) => one === text);
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`Wanted: ${known.join(', ')}.`);
  };
}

/** Values with commas between. */
export function list<T>(valueOf: (text: string) => T): (text: string) => readonly T[] {
  return (text) => text.split(',').map((part) => {
    try {
      return valueOf(part.trim());
    } catch (error) {
      if (error instanceof InvalidArgumentError) throw new InvalidArgumentError(`${error.message} Got among them: '${part}'.`);
      throw error;
    }
  });
}

/** `usual` is shown as one writes it. */
export function listOption<T>(flags: string, description: string, valueOf: (text: string) => T, usual: readonly T[]): Option {
  return new Option(flags, description).argParser(list(valueOf)).default(usual, usual.join(','));
}

/** NaN for an empty text, which would be 0. */
function numberOf(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}
