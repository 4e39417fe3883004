/** A record that could not be decoded, processed or delivered, with the reason and its bytes as they came. */
export interface DeadLetter {
  readonly stage: 'deserialise' | 'process' | 'deliver';
  /** Source, step or sink that refused it. */
  readonly step: string;
  /** Code of the error catalogue. */
  readonly reason: string;
  readonly message: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Counts the dead letters of one input record, from 0: a record that became several may fail several times. */
  readonly index: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array }[];
}
