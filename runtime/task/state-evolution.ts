import { VoltstreamError } from '../../errors.ts';
import type { CodecDescription } from '../../schemas/codec.ts';
import { canEvolve, decoderOf, describeCodec } from '../../schemas/codec-evolution.ts';
import type { StoreDefinition } from '../../state/local-store.ts';

/**
 * State that an earlier version of the topology has written. Beside the cells of a store stand its form (kind and codecs by
 * name) and, where the codec of its values can evolve, what that codec needs to know of its writer. From these a later version
 * finds out how to read the cells, or that it cannot.
 */

/** What facts of a task say: `TaskFacts`, or the cells of a task that somebody else owns. */
export interface WrittenFacts {
  get(name: string): string | undefined;
}

/** Values as the present codec writes them, from values as they were written. */
export type CellTranslation = (key: Uint8Array, value: Uint8Array) => Uint8Array;

/** What a store's cells look like: stores of different kinds with the same codecs have other cells. */
export function formOf(store: StoreDefinition): string {
  return `${store.kind} ${store.schemaId}`;
}

/** The facts to be kept with a store's cells. */
export function formFacts(store: StoreDefinition): readonly (readonly [name: string, value: string])[] {
  const facts: (readonly [string, string])[] = [[`schema/${store.name}`, formOf(store)]];
  if (store.value !== undefined && canEvolve(store.value)) facts.push([`codec/${store.name}`, JSON.stringify(describeCodec(store.value))]);
  if (store.meaning !== undefined) facts.push([`meaning/${store.name}`, store.meaning]);
  return facts;
}

/** Throws STATE_INCOMPATIBLE when the same form means something else now: windows of another size. */
export function refuseOtherMeaning(task: string, step: string, store: StoreDefinition, facts: WrittenFacts): void {
  const written = facts.get(`meaning/${store.name}`);
  if (written === undefined || store.meaning === undefined || written === store.meaning) return;
  throw new VoltstreamError('STATE_INCOMPATIBLE', 'the state of a step would be taken for something else', {
    where: `task ${task}, step "${step}", store "${store.name}"`, wanted: store.meaning, got: written,
    cure: `Change it back, or give the step another name and let go of the old state with topology.dropState("${store.name}").`,
  });
}

/** Names of stores that facts tell of. */
export function storeOfFormFact(fact: string): string | null {
  return /^(?:schema|codec|meaning)\/(.+)$/.exec(fact)?.[1] ?? null;
}

/**
 * How to read a store's values as they were written; null where they were written as the store writes them now, or where
 * nothing was written.
 *
 * @throws VoltstreamError STATE_INCOMPATIBLE, with the store, the step and both forms
 */
export function readerOf(task: string, step: string, store: StoreDefinition, facts: WrittenFacts): ((bytes: Uint8Array) => unknown) | null {
  const written = facts.get(`schema/${store.name}`);
  const now = formOf(store);
  if (written === undefined || written === now) return null;
  const description = parsed(facts.get(`codec/${store.name}`));
  const { value } = store;
  const sameBut = value === undefined ? '' : now.slice(0, now.length - value.schemaId.length);
  if (value === undefined || description === null || written !== `${sameBut}${description.id}`) {
    throw incompatible(task, step, store, written, null);
  }
  try {
    return decoderOf(value, description);
  } catch (error) {
    throw incompatible(task, step, store, written, error);
  }
}

/** As `readerOf`, for whole cells. */
export function translationOf(task: string, step: string, store: StoreDefinition, facts: WrittenFacts): CellTranslation | null {
  const read = readerOf(task, step, store, facts);
  const codec = store.value;
  if (read === null || codec === undefined) return null;
  const translate = (bytes: Uint8Array): Uint8Array => codec.encode(read(bytes));
  if (store.kind !== 'versioned') return (_key, value) => translate(value);
  // A versioned store's own time has the shortest key; a tombstone is one zero byte.
  return (key, value) => (key.length === 1 || value[0] === 0 ? value : Buffer.concat([value.subarray(0, 1), translate(value.subarray(1))]));
}

function parsed(description: string | undefined): CodecDescription | null {
  return description === undefined ? null : JSON.parse(description) as CodecDescription;
}

function incompatible(task: string, step: string, store: StoreDefinition, written: string, cause: unknown): VoltstreamError {
  const why = cause instanceof VoltstreamError ? `: ${cause.message.split('\n')[0] ?? ''}` : '';
  return new VoltstreamError('STATE_INCOMPATIBLE', `the state of a step was written in another form${why}`, {
    where: `task ${task}, step "${step}", store "${store.name}"`, wanted: formOf(store), got: written,
    ...(cause === null ? {} : { cause }),
    cure: `Change the codec or kind of the store back, or give the step another name and let go of the old state with topology.dropState("${store.name}").`,
  });
}
