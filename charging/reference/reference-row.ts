import type { OutageExclusion } from '../../schemas/generated/outage-exclusion.ts';
import type { Station } from '../../schemas/generated/station.ts';
import type { Tariff } from '../../schemas/generated/tariff.ts';
import type { Vehicle } from '../../schemas/generated/vehicle.ts';
import type { ReferenceFile } from './reference-file.ts';

/** Fields of a station that a register speaks of: neither tariff nor register, which survive a load. */
export type StationFacts = Omit<Station, 'validFromMs' | 'tariffId' | 'registerScope'>;
/** What is told of a station; what is not stays as it was. */
export type ToldStation = Pick<Station, 'stationId'> & Partial<Omit<Station, 'stationId' | 'validFromMs'>>;
export type VehicleFacts = Omit<Vehicle, 'validFromMs'>;
export type TariffFacts = Omit<Tariff, 'validFromMs'>;
export type OutageExclusionFacts = Omit<OutageExclusion, 'validFromMs' | 'withdrawn'>;

interface Place {
  readonly file: string;
  /** Line of the file, from 1; of a JSON array the number of its element. */
  readonly line: number;
}

/** A record that can be used. */
export interface FactsRow<Facts> extends Place {
  readonly kind: 'facts';
  /** Key of the topic. */
  readonly id: string;
  readonly facts: Facts;
  /** Since when it is there (opened, put into service, released), if the source tells; UTC milliseconds. */
  readonly sinceMs: number | null;
  /** When the source has last changed or confirmed the record; null when it does not say. */
  readonly sourceMs: number | null;
  /** The source says from when on this very version holds; a file may have several of one id. Left out: it does not say. */
  readonly validFromMs?: number;
}

/** A record that says that the station is not in service: planned, closed, removed. */
export interface ClosedRow extends Place {
  readonly kind: 'closed';
  readonly id: string;
  readonly sourceMs: number | null;
  /** As in `FactsRow`. */
  readonly validFromMs?: number;
}

/** A sound record of something else: a hydrogen pump, a fragment that is part of other records. */
export interface OtherRow extends Place {
  readonly kind: 'other';
}

/** A record that cannot be used: it is set aside with its text. */
export interface BadRow extends Place {
  readonly kind: 'bad';
  /** Column, or path in a JSON object; empty when the row as a whole cannot be read. */
  readonly column: string;
  readonly reason: string;
  readonly raw: string;
}

export type ReferenceRow<Facts> = FactsRow<Facts> | ClosedRow | OtherRow | BadRow;

/** What one or more files that belong together say at one time. */
export interface Snapshot<Facts> {
  readonly files: readonly string[];
  readonly rows: readonly ReferenceRow<Facts>[];
}

interface FormatBase<Facts> {
  /** As `--format` takes it; also the beginning of ids that the format makes. */
  readonly name: string;
  readonly title: string;
  /** Licence or owner to be named with the data. */
  readonly attribution: string;
  /** Whether a file looks like this; at most one format may say so of any file. */
  readonly recognises: (file: ReferenceFile) => boolean;
  /** Reads files that belong together. Throws CONFIGURATION_INVALID when a file lacks what the format needs. */
  readonly read: (files: readonly ReferenceFile[]) => readonly ReferenceRow<Facts>[];
}

export interface StationFormat extends FormatBase<ToldStation> {
  readonly kind: 'stations';
}

export interface VehicleFormat extends FormatBase<VehicleFacts> {
  readonly kind: 'vehicles';
}

export interface OutageExclusionFormat extends FormatBase<OutageExclusionFacts> {
  readonly kind: 'outage-exclusions';
}

export interface TariffFormat extends FormatBase<TariffFacts> {
  readonly kind: 'tariffs';
}

export type ReferenceFormat = StationFormat | VehicleFormat | OutageExclusionFormat | TariffFormat;

/** Thrown by a reader of one row: which column, and what is wrong with it. */
export class UnusableRow extends Error {
  readonly column: string;

  constructor(column: string, reason: string) {
    super(reason);
    this.column = column;
  }
}
