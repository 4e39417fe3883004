/** What the live page shows. Every part is made by a callback at the moment someone looks. */
export interface StatusReport {
  readonly application: string;
  /** Which process of the application this is; left out where there is one only. */
  readonly pod?: string;
  readonly nowMs: number;
  readonly startedAtMs: number;
  /** Sums since the start of the process; the page makes rates of them. */
  readonly totals: {
    readonly sourceRecords: number;
    readonly deliveredRows: number;
    readonly lateRecords: number;
    readonly deadLetters: number;
    readonly lagRecords: number;
    readonly outboxRows: number;
    readonly stateEntries: number;
  };
  readonly tasks: readonly StatusTask[];
  /** What the product is about: sessions, energy... as label and ready text. */
  readonly figures: readonly { readonly label: string; readonly text: string }[];
  /** Small tables of ready cells, e.g. the last sessions. */
  readonly tables: readonly StatusTable[];
}

export interface StatusTask {
  readonly task: string;
  readonly lagRecords: number | null;
  /** -1 before the first record. */
  readonly streamTimeMs: number;
  readonly pausedBy: string | null;
}

export interface StatusTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}
