import { describe, expect, it, vi } from 'vitest';
import { aboveZero, listOption, oneOf, script, whole } from './script-options.ts';

/** What a script with these options makes of its command line: its values, or how it ends and what it says. */
function called(...given: readonly string[]): unknown {
  const texts: string[] = [];
  const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
  const say = (text: string): void => void texts.push(text);
  try {
    return script('node bench/some.ts', 'What it measures.').configureOutput({ writeOut: say, writeErr: say })
      .option('--rounds <number>', 'counted rounds', whole(1), 3)
      .option('--seed <number>', 'of chance', whole(), 7)
      .option('--slow <times>', 'stretches times', aboveZero, 1)
      .addOption(listOption('--keys <list>', 'live keys, by comma', whole(1), [1_000, 100_000]))
      .addOption(listOption('--work <list>', 'by comma', oneOf(['product', 'windows']), ['product', 'windows']))
      .parse(given, { from: 'user' }).opts();
  } catch (error) {
    return `${texts.join('')}${error instanceof Error ? error.message : ''}`;
  } finally {
    exit.mockRestore();
  }
}

describe('options of scripts', () => {
  it('have their usual values', () => {
    expect(called()).toEqual({ rounds: 3, seed: 7, slow: 1, keys: [1_000, 100_000], work: ['product', 'windows'] });
  });

  it('are read as numbers and lists', () => {
    expect(called('--rounds', '1', '--seed=-4', '--slow', '0.5', '--keys', '5, 1e6', '--work', 'windows'))
      .toEqual({ rounds: 1, seed: -4, slow: 0.5, keys: [5, 1_000_000], work: ['windows'] });
  });

  it.each([
    ['--rounds', 'three', 'a whole number from 1'], ['--rounds', '0', 'a whole number from 1'], ['--rounds', '1.5', 'a whole number from 1'], ['--rounds', '', 'a whole number from 1'],
    ['--seed', 'x', 'a whole number'], ['--slow', '0', 'a number above 0'], ['--slow', 'Infinity', 'a number above 0'], ['--keys', '5,', 'a whole number from 1'],
    ['--work', 'window', 'product, windows'],
  ])('are refused: %s "%s"', (option, got, wanted) => {
    const said = called(option, got);
    expect(said).toContain(`option '${option} <`);
    expect(said).toContain(`argument '${got}' is invalid. Wanted: ${wanted}.`);
    expect(said).toMatch(/exit 2$/);
  });

  it('say which of a list is wrong', () => {
    expect(called('--keys', '5,five,55')).toContain("Wanted: a whole number from 1. Got among them: 'five'.");
  });

  it('that nobody knows end the script with code 2', () => {
    expect(called('--round', '3')).toMatch(/unknown option '--round'[\s\S]*exit 2$/);
    expect(called('3')).toMatch(/exit 2$/);
  });

  it('are explained by --help, each default as one writes it', () => {
    const said = called('--help');
    expect(said).toMatch(/^Usage: node bench\/some\.ts \[options\]\s+What it measures\./);
    expect(said).toMatch(/live keys, by comma \(default: 1000,100000\)/);
    expect(said).toMatch(/exit 0$/);
  });
});
