import { expect, it } from 'vitest';
import { knownCurrencies, minorUnitDigits } from './currencies.ts';

it('knows the minor units of ISO 4217, also where the runtime\'s table says otherwise', () => {
  const digits = (...codes: readonly string[]): readonly (number | undefined)[] => codes.map(minorUnitDigits);
  expect(digits('EUR', 'GBP', 'USD', 'NOK', 'HUF', 'ISK')).toEqual([2, 2, 2, 2, 2, 0]);
  expect(digits('JPY', 'KRW', 'UGX', 'KWD', 'IQD', 'CLF')).toEqual([0, 0, 0, 3, 3, 4]);
  expect(digits('XAU', 'eur', '', 'EURO', 'constructor')).toEqual(Array(5).fill(undefined));
});

it('names every currency that the runtime knows, but for units of account', () => {
  const codes = new Set(knownCurrencies());
  expect([...codes].filter((code) => !/^[A-Z]{3}$/.test(code))).toEqual([]);
  expect(Intl.supportedValuesOf('currency').filter((code) => !codes.has(code))).toEqual(['XDR', 'XSU']);
});
