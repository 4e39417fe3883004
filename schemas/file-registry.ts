import { link, mkdir, open, readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { VoltstreamError } from '../errors.ts';
import { typeOfForm } from './avro-codec.ts';
import type { Form, RegisteredForm, SchemaRegistry, WireReader, WireWriter } from './codec.ts';
import { checkCompatibility } from './compatibility.ts';
import type { CompatibilityLevel } from './compatibility.ts';
import { messageOf } from './malformed.ts';
import { temporaryIn, writeSynced } from './temporary-file.ts';
import { wireReader, wireWriter } from './wire.ts';

/**
 * A schema registry in the process, kept in a folder that several processes may use at once.
 *
 * The folder is a journal: entry n is the file `<n>.json`, written beside it, synced, and put in place by a hard link, which
 * fails when entry n is there already. So an entry is whole or absent, whoever is killed at whatever moment; two
 * processes never give out the same id; and there is no lock that a killed process could leave behind.
 */

type Entry =
  | { readonly kind: 'schema'; readonly subject: string; readonly schemaId: number; readonly schema: object }
  | { readonly kind: 'compatibility'; readonly subject: string; readonly level: CompatibilityLevel };

export interface FileRegistryOptions {
  /** Folder of the journal; made when it is missing. */
  readonly folder: string;
  /** For subjects that have no level of their own. BACKWARD, as in Confluent's registry. */
  readonly compatibility?: CompatibilityLevel;
}

/** How often a registration starts again because another process was first; each round another one has succeeded. */
const attemptsMax = 1_000;

export class FileRegistry implements SchemaRegistry {
  readonly #folder: string;
  readonly #defaultLevel: CompatibilityLevel;
  #entries = 0;
  #lastId = 0;
  readonly #textById = new Map<number, string>();
  readonly #idByText = new Map<string, number>();
  readonly #idsBySubject = new Map<string, number[]>();
  readonly #levels = new Map<string, CompatibilityLevel>();
  /** Reading and appending go one after the other within this process. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: FileRegistryOptions) {
    this.#folder = options.folder;
    this.#defaultLevel = options.compatibility ?? 'BACKWARD';
  }

  async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await this.#inTurn(() => this.#readNew());
  }

  async close(): Promise<void> {
    await this.#turn;
  }

  reader<T>(form: Form<T>): WireReader<T> {
    return wireReader(form, async (schemaId) => {
      if (!this.#textById.has(schemaId)) await this.#inTurn(() => this.#readNew());
      return this.#textById.get(schemaId) ?? null;
    });
  }

  async writer<T>(subject: string, form: Form<T>): Promise<WireWriter<T>> {
    return form.kind === 'codec' ? form : wireWriter(form, await this.register(subject, form));
  }

  /** Id of the form's schema under a subject; a new version when it is not there yet. Throws SCHEMA_INCOMPATIBLE. */
  register(subject: string, form: RegisteredForm<unknown>): Promise<number> {
    typeOfForm(form); // Throws when the schema is not valid.
    const text = JSON.stringify(form.schema);
    return this.#append(() => {
      const ids = this.#idsBySubject.get(subject) ?? [];
      const known = this.#idByText.get(text);
      if (known !== undefined && ids.includes(known)) return { done: known };
      const level = this.#levels.get(subject) ?? this.#defaultLevel;
      checkCompatibility(subject, form.schema, ids.map((id) => this.#schemaOf(id)), level);
      const schemaId = known ?? this.#lastId + 1;
      return { entry: { kind: 'schema', subject, schemaId, schema: form.schema }, result: schemaId };
    });
  }

  /** Sets what later versions of a subject must be able to do. */
  async setCompatibility(subject: string, level: CompatibilityLevel): Promise<void> {
    await this.#append(() =>
      this.#levels.get(subject) === level ? { done: 0 } : { entry: { kind: 'compatibility', subject, level }, result: 0 },
    );
  }

  async subjects(): Promise<readonly string[]> {
    await this.#inTurn(() => this.#readNew());
    return [...this.#idsBySubject.keys()].sort();
  }

  /** The schema of an id as JSON text, or null. */
  async schema(schemaId: number): Promise<string | null> {
    if (!this.#textById.has(schemaId)) await this.#inTurn(() => this.#readNew());
    return this.#textById.get(schemaId) ?? null;
  }

  /** The level that a subject was given, or null when it has none of its own. */
  async compatibilityOf(subject: string): Promise<CompatibilityLevel | null> {
    await this.#inTurn(() => this.#readNew());
    return this.#levels.get(subject) ?? null;
  }

  /** Schema ids of a subject's versions, oldest first. */
  async versions(subject: string): Promise<readonly number[]> {
    await this.#inTurn(() => this.#readNew());
    return [...(this.#idsBySubject.get(subject) ?? [])];
  }

  #schemaOf(schemaId: number): object {
    return JSON.parse(this.#textById.get(schemaId) ?? 'null') as object;
  }

  #inTurn<R>(work: () => Promise<R>): Promise<R> {
    const result = this.#turn.then(work);
    this.#turn = result.then(
      () => undefined,
      () => undefined, // The caller gets the rejection; the next in turn does not care.
    );
    return result;
  }

  /** Decides on what is known, tries to write it as the next entry, and decides again when another one was first. */
  #append(decide: () => { readonly done: number } | { readonly entry: Entry; readonly result: number }): Promise<number> {
    return this.#inTurn(async () => {
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        await this.#readNew();
        const decision = decide();
        if ('done' in decision) return decision.done;
        if (await this.#put(this.#entries + 1, decision.entry)) {
          await this.#readNew();
          return decision.result;
        }
      }
      throw new VoltstreamError('REGISTRY_UNAVAILABLE', `others were first ${attemptsMax} times`, { where: this.#folder });
    });
  }

  /** False when the entry exists already. */
  async #put(number: number, entry: Entry): Promise<boolean> {
    const temporary = temporaryIn(this.#folder);
    try {
      await writeSynced(temporary, `${JSON.stringify(entry)}\n`);
      await link(temporary, this.#entryPath(number));
      await this.#syncFolder();
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw this.#storageError(error);
    } finally {
      await unlink(temporary).catch((error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw this.#storageError(error);
      });
    }
  }

  /** So that the entry outlives a loss of power: records may carry its id from now on. Windows has no such call. */
  async #syncFolder(): Promise<void> {
    if (process.platform === 'win32') return;
    const folder = await open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  async #readNew(): Promise<void> {
    for (;;) {
      let text: string;
      try {
        text = await readFile(this.#entryPath(this.#entries + 1), 'utf8');
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw this.#storageError(error);
        if (await this.#atEnd()) return;
        continue;
      }
      this.#apply(this.#parse(text));
      this.#entries++;
    }
  }

  #parse(text: string): Entry {
    try {
      return JSON.parse(text) as Entry;
    } catch (error) {
      throw new VoltstreamError('REGISTRY_UNAVAILABLE', 'an entry of the schema registry is damaged', {
        where: this.#entryPath(this.#entries + 1),
        got: messageOf(error),
        cure: 'Restore the folder from a backup: the ids in the log depend on it.',
        cause: error,
      });
    }
  }

  /** A missing entry with later ones behind it means a damaged folder: going on would give out ids a second time. */
  async #atEnd(): Promise<boolean> {
    const next = this.#entries + 1;
    const highest = await this.#highestEntry();
    if (highest < next) return true;
    // Another process has added entries since the look (entries come in order, so this one is listed by now), or it is gone.
    const names = new Set(await readdir(this.#folder));
    if (names.has(entryName(next))) return false;
    throw new VoltstreamError('REGISTRY_UNAVAILABLE', 'an entry of the schema registry is missing', {
      where: this.#folder,
      wanted: `entry ${next}`,
      got: `entries up to ${highest}`,
      cure: 'Restore the folder from a backup: schema ids would be given out a second time.',
    });
  }

  async #highestEntry(): Promise<number> {
    const names = await readdir(this.#folder);
    return Math.max(0, ...names.map((name) => Number(/^(\d+)\.json$/.exec(name)?.[1] ?? 0)));
  }

  #apply(entry: Entry): void {
    if (entry.kind === 'compatibility') {
      this.#levels.set(entry.subject, entry.level);
      return;
    }
    const text = JSON.stringify(entry.schema);
    this.#textById.set(entry.schemaId, text);
    this.#idByText.set(text, entry.schemaId);
    this.#lastId = Math.max(this.#lastId, entry.schemaId);
    const ids = this.#idsBySubject.get(entry.subject);
    if (ids === undefined) this.#idsBySubject.set(entry.subject, [entry.schemaId]);
    else ids.push(entry.schemaId);
  }

  #entryPath(number: number): string {
    return join(this.#folder, entryName(number));
  }

  #storageError(error: unknown): VoltstreamError {
    const code = codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT' ? 'DISK_FULL' : 'REGISTRY_UNAVAILABLE';
    return new VoltstreamError(code, 'the folder of the schema registry cannot be used', {
      where: this.#folder,
      got: messageOf(error),
      cause: error,
    });
  }
}

function entryName(number: number): string {
  return `${String(number).padStart(6, '0')}.json`;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
