/**
 * Zones of countries, after the table `zone.tab` of the tz database (public domain). Zones of one country that keep the same
 * time all year long are taken for one: the first of them. The United States go by state: `united-states-zones.ts`.
 */

/** Countries in which all clocks agree, as `country:zone`. */
const oneZone = `
  CN:Asia/Shanghai UA:Europe/Kyiv
  AD:Europe/Andorra AE:Asia/Dubai AF:Asia/Kabul AG:America/Antigua AI:America/Anguilla AL:Europe/Tirane AM:Asia/Yerevan
  AO:Africa/Luanda AR:America/Argentina/Buenos_Aires AS:Pacific/Pago_Pago AT:Europe/Vienna AW:America/Aruba AX:Europe/Mariehamn
  AZ:Asia/Baku BA:Europe/Sarajevo BB:America/Barbados BD:Asia/Dhaka BE:Europe/Brussels BF:Africa/Ouagadougou BG:Europe/Sofia
  BH:Asia/Bahrain BI:Africa/Bujumbura BJ:Africa/Porto-Novo BL:America/St_Barthelemy BM:Atlantic/Bermuda BN:Asia/Brunei
  BO:America/La_Paz BQ:America/Kralendijk BS:America/Nassau BT:Asia/Thimphu BW:Africa/Gaborone BY:Europe/Minsk BZ:America/Belize
  CC:Indian/Cocos CF:Africa/Bangui CG:Africa/Brazzaville CH:Europe/Zurich CI:Africa/Abidjan CK:Pacific/Rarotonga CM:Africa/Douala
  CO:America/Bogota CR:America/Costa_Rica CU:America/Havana CV:Atlantic/Cape_Verde CW:America/Curacao CX:Indian/Christmas
  CY:Asia/Nicosia CZ:Europe/Prague DE:Europe/Berlin DJ:Africa/Djibouti DK:Europe/Copenhagen DM:America/Dominica
  DO:America/Santo_Domingo DZ:Africa/Algiers EE:Europe/Tallinn EG:Africa/Cairo EH:Africa/El_Aaiun ER:Africa/Asmara
  ET:Africa/Addis_Ababa FI:Europe/Helsinki FJ:Pacific/Fiji FK:Atlantic/Stanley FO:Atlantic/Faroe FR:Europe/Paris
  GA:Africa/Libreville GB:Europe/London GD:America/Grenada GE:Asia/Tbilisi GF:America/Cayenne GG:Europe/Guernsey GH:Africa/Accra
  GI:Europe/Gibraltar GM:Africa/Banjul GN:Africa/Conakry GP:America/Guadeloupe GQ:Africa/Malabo GR:Europe/Athens
  GS:Atlantic/South_Georgia GT:America/Guatemala GU:Pacific/Guam GW:Africa/Bissau GY:America/Guyana HK:Asia/Hong_Kong
  HN:America/Tegucigalpa HR:Europe/Zagreb HT:America/Port-au-Prince HU:Europe/Budapest IE:Europe/Dublin IL:Asia/Jerusalem
  IM:Europe/Isle_of_Man IN:Asia/Kolkata IO:Indian/Chagos IQ:Asia/Baghdad IR:Asia/Tehran IS:Atlantic/Reykjavik IT:Europe/Rome
  JE:Europe/Jersey JM:America/Jamaica JO:Asia/Amman JP:Asia/Tokyo KE:Africa/Nairobi KG:Asia/Bishkek KH:Asia/Phnom_Penh
  KM:Indian/Comoro KN:America/St_Kitts KP:Asia/Pyongyang KR:Asia/Seoul KW:Asia/Kuwait KY:America/Cayman KZ:Asia/Almaty
  LA:Asia/Vientiane LB:Asia/Beirut LC:America/St_Lucia LI:Europe/Vaduz LK:Asia/Colombo LR:Africa/Monrovia LS:Africa/Maseru
  LT:Europe/Vilnius LU:Europe/Luxembourg LV:Europe/Riga LY:Africa/Tripoli MA:Africa/Casablanca MC:Europe/Monaco MD:Europe/Chisinau
  ME:Europe/Podgorica MF:America/Marigot MG:Indian/Antananarivo MH:Pacific/Majuro MK:Europe/Skopje ML:Africa/Bamako MM:Asia/Yangon
  MO:Asia/Macau MP:Pacific/Saipan MQ:America/Martinique MR:Africa/Nouakchott MS:America/Montserrat MT:Europe/Malta
  MU:Indian/Mauritius MV:Indian/Maldives MW:Africa/Blantyre MY:Asia/Kuala_Lumpur MZ:Africa/Maputo NA:Africa/Windhoek
  NC:Pacific/Noumea NE:Africa/Niamey NF:Pacific/Norfolk NG:Africa/Lagos NI:America/Managua NL:Europe/Amsterdam NO:Europe/Oslo
  NP:Asia/Kathmandu NR:Pacific/Nauru NU:Pacific/Niue OM:Asia/Muscat PA:America/Panama PE:America/Lima PH:Asia/Manila
  PK:Asia/Karachi PL:Europe/Warsaw PM:America/Miquelon PN:Pacific/Pitcairn PR:America/Puerto_Rico PS:Asia/Gaza PW:Pacific/Palau
  PY:America/Asuncion QA:Asia/Qatar RE:Indian/Reunion RO:Europe/Bucharest RS:Europe/Belgrade RW:Africa/Kigali SA:Asia/Riyadh
  SB:Pacific/Guadalcanal SC:Indian/Mahe SD:Africa/Khartoum SE:Europe/Stockholm SG:Asia/Singapore SH:Atlantic/St_Helena
  SI:Europe/Ljubljana SJ:Arctic/Longyearbyen SK:Europe/Bratislava SL:Africa/Freetown SM:Europe/San_Marino SN:Africa/Dakar
  SO:Africa/Mogadishu SR:America/Paramaribo SS:Africa/Juba ST:Africa/Sao_Tome SV:America/El_Salvador SX:America/Lower_Princes
  SY:Asia/Damascus SZ:Africa/Mbabane TC:America/Grand_Turk TD:Africa/Ndjamena TF:Indian/Kerguelen TG:Africa/Lome TH:Asia/Bangkok
  TJ:Asia/Dushanbe TK:Pacific/Fakaofo TL:Asia/Dili TM:Asia/Ashgabat TN:Africa/Tunis TO:Pacific/Tongatapu TR:Europe/Istanbul
  TT:America/Port_of_Spain TV:Pacific/Funafuti TW:Asia/Taipei TZ:Africa/Dar_es_Salaam UG:Africa/Kampala UY:America/Montevideo
  UZ:Asia/Samarkand VA:Europe/Vatican VC:America/St_Vincent VE:America/Caracas VG:America/Tortola VI:America/St_Thomas
  VN:Asia/Ho_Chi_Minh VU:Pacific/Efate WF:Pacific/Wallis WS:Pacific/Apia YE:Asia/Aden YT:Indian/Mayotte ZA:Africa/Johannesburg
  ZM:Africa/Lusaka ZW:Africa/Harare
`;

/** Countries with several zones: places at which each is kept, as `zone@latitude,longitude`; that of the capital or largest city first. */
const severalZones: Readonly<Record<string, string>> = {
  AQ: `
    Antarctica/McMurdo@-77.8,166.6 Antarctica/Casey@-66.3,110.5 Antarctica/Davis@-68.6,78 Antarctica/DumontDUrville@-66.7,140
    Antarctica/Mawson@-67.6,62.9 Antarctica/Palmer@-64.8,-64.1 Antarctica/Palmer@-67.6,-68.1 Antarctica/Syowa@-69,39.6
    Antarctica/Troll@-72,2.5 Antarctica/Mawson@-78.4,106.9
  `,
  AU: `
    Australia/Sydney@-33.9,151.2 Australia/Lord_Howe@-31.6,159.1 Australia/Sydney@-54.5,158.9 Australia/Sydney@-42.9,147.3
    Australia/Sydney@-37.8,145 Australia/Broken_Hill@-31.9,141.4 Australia/Brisbane@-27.5,153 Australia/Brisbane@-20.3,149
    Australia/Broken_Hill@-34.9,138.6 Australia/Darwin@-12.5,130.8 Australia/Perth@-31.9,115.8 Australia/Eucla@-31.7,128.9
  `,
  BR: `
    America/Sao_Paulo@-23.5,-46.6 America/Noronha@-3.9,-32.4 America/Sao_Paulo@-1.4,-48.5 America/Sao_Paulo@-3.7,-38.5
    America/Sao_Paulo@-8.1,-34.9 America/Sao_Paulo@-7.2,-48.2 America/Sao_Paulo@-9.7,-35.7 America/Sao_Paulo@-13,-38.5
    America/Campo_Grande@-20.4,-54.6 America/Campo_Grande@-15.6,-56.1 America/Sao_Paulo@-2.4,-54.9
    America/Campo_Grande@-8.8,-63.9 America/Campo_Grande@2.8,-60.7 America/Campo_Grande@-3.1,-60 America/Eirunepe@-6.7,-69.9
    America/Eirunepe@-10,-67.8
  `,
  CA: `
    America/Toronto@43.6,-79.4 America/St_Johns@47.6,-52.7 America/Halifax@44.6,-63.6 America/Halifax@46.2,-60
    America/Halifax@46.1,-64.8 America/Halifax@53.3,-60.4 America/Blanc-Sablon@51.4,-57.1 America/Toronto@63.7,-68.5
    America/Atikokan@48.8,-91.6 America/Winnipeg@49.9,-97.2 America/Winnipeg@74.7,-94.8 America/Winnipeg@62.8,-92.1
    America/Regina@50.4,-104.7 America/Regina@50.3,-107.8 America/Edmonton@53.5,-113.5 America/Edmonton@69.1,-105.1
    America/Edmonton@68.3,-133.7 America/Creston@49.1,-116.5 America/Creston@55.8,-120.2 America/Creston@58.8,-122.7
    America/Creston@60.7,-135.1 America/Creston@64.1,-139.4 America/Vancouver@49.3,-123.1
  `,
  CD: `
    Africa/Kinshasa@-4.3,15.3 Africa/Lubumbashi@-11.7,27.5
  `,
  CL: `
    America/Santiago@-33.5,-70.7 America/Coyhaique@-45.6,-72.1 America/Coyhaique@-53.1,-70.9 Pacific/Easter@-27.1,-109.4
  `,
  EC: `
    America/Guayaquil@-2.2,-79.8 Pacific/Galapagos@-0.9,-89.6
  `,
  ES: `
    Europe/Madrid@40.4,-3.7 Europe/Madrid@35.9,-5.3 Atlantic/Canary@28.1,-15.4
  `,
  FM: `
    Pacific/Pohnpei@7,158.2 Pacific/Chuuk@7.4,151.8 Pacific/Pohnpei@5.3,163
  `,
  GL: `
    America/Nuuk@64.2,-51.7 America/Danmarkshavn@76.8,-18.7 America/Nuuk@70.5,-22 America/Thule@76.6,-68.8
  `,
  ID: `
    Asia/Jakarta@-6.2,106.8 Asia/Jakarta@-0,109.3 Asia/Makassar@-5.1,119.4 Asia/Jayapura@-2.5,140.7
  `,
  KI: `
    Pacific/Tarawa@1.4,173 Pacific/Kanton@-2.8,-171.7 Pacific/Kiritimati@1.9,-157.3
  `,
  MN: `
    Asia/Ulaanbaatar@47.9,106.9 Asia/Hovd@48,91.7
  `,
  MX: `
    America/Mexico_City@19.4,-99.2 America/Cancun@21.1,-86.8 America/Mexico_City@21,-89.6 America/Mexico_City@25.7,-100.3
    America/Matamoros@25.8,-97.5 America/Mexico_City@28.6,-106.1 America/Ciudad_Juarez@31.7,-106.5 America/Matamoros@29.6,-104.4
    America/Mazatlan@23.2,-106.4 America/Mexico_City@20.8,-105.2 America/Mazatlan@29.1,-111 America/Tijuana@32.5,-117
  `,
  NZ: `
    Pacific/Auckland@-36.9,174.8 Pacific/Chatham@-44,-176.6
  `,
  PF: `
    Pacific/Tahiti@-17.5,-149.6 Pacific/Marquesas@-9,-139.5 Pacific/Gambier@-23.1,-134.9
  `,
  PG: `
    Pacific/Port_Moresby@-9.5,147.2 Pacific/Bougainville@-6.2,155.6
  `,
  PT: `
    Europe/Lisbon@38.7,-9.1 Europe/Lisbon@32.6,-16.9 Atlantic/Azores@37.7,-25.7
  `,
  RU: `
    Europe/Moscow@55.8,37.6 Europe/Kaliningrad@54.7,20.5 Europe/Moscow@58.6,49.6 Europe/Moscow@48.7,44.4 Europe/Astrakhan@46.4,48
    Europe/Astrakhan@51.6,46 Europe/Astrakhan@54.3,48.4 Europe/Astrakhan@53.2,50.1 Asia/Yekaterinburg@56.9,60.6 Asia/Omsk@55,73.4
    Asia/Novosibirsk@55,82.9 Asia/Novosibirsk@53.4,83.8 Asia/Novosibirsk@56.5,85 Asia/Novosibirsk@53.8,87.1
    Asia/Novosibirsk@56,92.8 Asia/Irkutsk@52.3,104.3 Asia/Chita@52,113.5 Asia/Chita@62,129.7 Asia/Chita@62.7,135.6
    Asia/Vladivostok@43.2,131.9 Asia/Vladivostok@64.6,143.2 Asia/Magadan@59.6,150.8 Asia/Magadan@47,142.7 Asia/Magadan@67.5,153.7
    Asia/Kamchatka@53,158.7 Asia/Kamchatka@64.8,177.5
  `,
  UM: `
    Pacific/Midway@28.2,-177.4 Pacific/Wake@19.3,166.6
  `,
};

/** A place at which a zone is kept, in degrees. */
export interface ZonePlace {
  readonly zone: string;
  readonly latitude: number;
  readonly longitude: number;
}

/** The zone of each country that has one only, by ISO 3166-1 alpha-2 code. */
export const zoneByCountry: ReadonlyMap<string, string> = new Map(
  words(oneZone).map((word) => [word.slice(0, 2), word.slice(3)] as const),
);

/** Places of the zones of each country that has several. */
export const placesByCountry: ReadonlyMap<string, readonly ZonePlace[]> = new Map(
  Object.entries(severalZones).map(([country, text]) => [country, words(text).map(placeOf)] as const),
);

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

function placeOf(word: string): ZonePlace {
  const [zone = '', latitude = '', longitude = ''] = word.split(/[@,]/);
  return { zone, latitude: Number(latitude), longitude: Number(longitude) };
}
