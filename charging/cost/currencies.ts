/** Digits behind the point of currencies that have not two, by ISO 4217. The runtime's own table is CLDR's and differs (HUF, IQD, UGX). */
const otherExponents: Readonly<Record<number, string>> = {
  0: 'BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};

/** With two digits; the last line was withdrawn since 2010, and old sessions are still in it. */
const twoDigits = `
  AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC
  CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR
  KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN
  PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS
  UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
  ANG BGN CUC EEK HRK LTL LVL MRO SLL STD VEF ZMK ZWL`;

const exponentOf: ReadonlyMap<string, number> = new Map([
  ...codes(twoDigits).map((code) => [code, 2] as const),
  ...Object.entries(otherExponents).flatMap(([exponent, text]) => codes(text).map((code) => [code, Number(exponent)] as const)),
]);

/** How many digits a currency's minor unit stands behind the point (ISO 4217: EUR 2, JPY 0, KWD 3); undefined for no currency. */
export function minorUnitDigits(currency: string): number | undefined {
  return exponentOf.get(currency);
}

export function knownCurrencies(): readonly string[] {
  return [...exponentOf.keys()];
}

function codes(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
