/**
 * How one source writes its session log, as data: which columns hold what, in which form, zone and unit. One file per
 * source (`<source>.mapping.ts`); the reader knows no source by name.
 *
 * A column is named as in the header; a column without a name is `#n`, n its place from 1. Columns of `optional` may be
 * missing in a file; any other missing column is an error of the whole file.
 */
export interface SessionLogMapping {
  /** Short and stable: it is part of every event's id. */
  readonly name: string;
  readonly title: string;
  /** Who must be named with the data. */
  readonly attribution: string;
  readonly operator: string | null;
  readonly city: string | null;
  /** ISO 3166-1 alpha-2. */
  readonly country: string | null;
  /** IANA zone of the site; also of the times, unless `columns.start` says otherwise. */
  readonly zone: string;
  readonly delimiter: ',' | ';' | '\t';
  readonly decimalMark: '.' | ',';
  /** Written between thousands (`2,418`), left out when numbers are read. */
  readonly thousandsMark?: ',' | '.' | ' ';
  /** Texts that mean "no value" in any column, beside the empty one. */
  readonly noValue: readonly string[];
  /** Put before station ids, where those of another source could be the same. */
  readonly stationPrefix?: string;
  readonly columns: {
    /**
     * Unique over all files of the source, and the same in each later edition of it. Null: the identity is station, connector
     * and start; further rows of one file with the same three are numbered.
     */
    readonly id: string | null;
    /** Of several columns the first that has a value counts. */
    readonly station: string | readonly string[];
    /** Number of the outlet; null: the log has none, all is connector 1. */
    readonly connector: string | null;
    readonly start: TimeColumns;
    readonly stop: TimeColumns | StopAfter;
    readonly energy: EnergyColumn;
    readonly site: string | null;
    readonly model: string | null;
    readonly idToken: string | null;
    readonly vehicleModel: string | null;
    /** State of charge in percent at start and stop. */
    readonly socFrom?: string | null;
    readonly socTo?: string | null;
  };
  /** Numbers of outlets that the connector column names by text. */
  readonly connectors?: Readonly<Record<string, number>>;
  readonly optional: readonly string[];
  /** Texts of the vehicle column that name no vehicle. */
  readonly noVehicle: readonly string[];
  /** What each model of charge point can do; a model that is not listed is an error of its row. */
  readonly models: Readonly<Record<string, OutletDescription>>;
  /** For rows without a model, and for sources without a model column. */
  readonly defaultOutlet: OutletDescription | null;
  /**
   * What outlets of single stations can do, where it is known better than by model: an energy that an outlet cannot give is not
   * believed. By station id as the sessions have it.
   */
  readonly stations?: Readonly<Record<string, OutletDescription>>;
  /** What the row's columns must agree on; a row that fails is taken as it is, counted and shown as doubtful. */
  readonly checks?: readonly RowCheck[];
}

/** A stop that the log gives as a duration from the start on. */
export interface StopAfter {
  readonly after: string;
  readonly unit: DurationUnit;
  /** Texts that mean 0 (accounting writes a dash). */
  readonly zero?: readonly string[];
}

export const durationUnits = ['seconds', 'minutes', 'hours', 'h:mm:ss'] as const;
export type DurationUnit = (typeof durationUnits)[number];

/** A rule between columns of one row. Where a column has no value, the rule says nothing (except `present`). */
export type RowCheck = RowRule & {
  /** A batch of rows of which a greater share fails is not taken at all; 0 to 1. Left out: as the ingestion says. */
  readonly maxShare?: number;
};

export type RowRule =
  /** The column says how long it was from start to stop, give or take `toleranceS` seconds. */
  | { readonly name: string; readonly kind: 'duration'; readonly column: string; readonly unit: DurationUnit; readonly toleranceS: number }
  /** The column names the weekday of the start by the first three letters of its English name. */
  | { readonly name: string; readonly kind: 'weekday'; readonly column: string }
  /** The column names the part of the day in which the start lies: hours from (inclusive) to (exclusive), across midnight when to < from. */
  | { readonly name: string; readonly kind: 'timeOfDay'; readonly column: string; readonly hours: Readonly<Record<string, readonly [number, number]>> }
  /** Numbers and columns, none lower than the one before. */
  | { readonly name: string; readonly kind: 'ascending'; readonly of: readonly (string | number)[] }
  /** None of the columns is empty. */
  | { readonly name: string; readonly kind: 'present'; readonly columns: readonly string[] };

/** What an outlet of a charge point can do, when its session log does not say more. */
export interface OutletDescription {
  readonly current: 'AC' | 'DC';
  readonly powerMaxW: number;
  /** OCPI name of the connector standard, when it is the same for all outlets of the model. */
  readonly standard: string | null;
}

/** Texts of the columns, joined by one space, are read by `format`: YYYY MM DD HH mm ss, M D H without leading zero, Z an offset; * is any text. */
export interface TimeColumns {
  readonly columns: readonly string[];
  readonly format: string;
  /** Zone of these times when it is not the site's (a source that writes UTC). */
  readonly zone?: string;
  /** Added to the year: sources that write 0014 for 2014 say 2000. */
  readonly yearsAdded?: number;
}

export interface EnergyColumn {
  readonly column: string;
  readonly unit: 'Wh' | 'kWh';
}

/** How a local time was read: once on that day, twice (the hour before winter time), or never (the hour lost in spring). */
export type ClockReading = 'exact' | 'ambiguous' | 'skipped';

/** A row as the log has it, in our units. Nothing is judged here: a negative energy stays negative. */
export interface SessionLogRow {
  readonly kind: 'row';
  readonly file: string;
  /** Line of the file, the header being line 1. */
  readonly line: number;
  readonly rowId: string;
  readonly stationId: string;
  readonly connectorId: number;
  readonly startMs: number | null;
  readonly stopMs: number | null;
  /** To a thousandth of a Wh. */
  readonly energyWh: number | null;
  readonly site: string | null;
  readonly model: string | null;
  readonly idToken: string | null;
  readonly vehicleModel: string | null;
  readonly socFrom: number | null;
  readonly socTo: number | null;
  /** Names of the mapping's checks that the row fails. */
  readonly doubts: readonly string[];
  readonly startClock: ClockReading;
  readonly stopClock: ClockReading;
}

/** A row that cannot be read; it is set aside with its text and the reason. */
export interface QuarantinedRow {
  readonly kind: 'quarantined';
  readonly file: string;
  readonly line: number;
  readonly column: string;
  readonly reason: string;
  readonly raw: string;
}
