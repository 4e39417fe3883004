import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryIn, writeSynced } from './temporary-file.ts';

/** One thing that a registry has said, for ever: an id never changes its schema, nor a schema its id under a subject. */
interface Entry {
  /** `id 7`, or `subject charging.events-value` and the schema's text. */
  readonly question: string;
  readonly answer: string;
  /** SHA-256 over both, so that a damaged file is not believed. */
  readonly checksum: string;
}

/**
 * What a registry has said, in a folder, so that its outage stops no restart. A file an answer, written beside and renamed: whole or absent, whoever is
 * killed, and however many processes share the folder. What is damaged counts as absent. A folder that cannot be written to is no cache, and no error:
 * it only ever saves a question.
 */
export class RegistryCache {
  readonly #folder: string;

  /** `place` says which registry it is; answers of another one are not mixed with its own. */
  constructor(folder: string, place: string) {
    this.#folder = join(folder, hash(place).slice(0, 16));
  }

  schema(schemaId: number): Promise<string | null> {
    return this.#read(`id ${schemaId}`);
  }

  keepSchema(schemaId: number, text: string): Promise<void> {
    return this.#keep(`id ${schemaId}`, text);
  }

  async idOf(subject: string, schema: string): Promise<number | null> {
    const answer = await this.#read(`subject ${subject}\n${schema}`);
    return answer === null ? null : Number(answer);
  }

  keepId(subject: string, schema: string, schemaId: number): Promise<void> {
    return this.#keep(`subject ${subject}\n${schema}`, String(schemaId));
  }

  async #read(question: string): Promise<string | null> {
    let entry: Partial<Entry>;
    try {
      entry = JSON.parse(await readFile(this.#path(question), 'utf8')) as Partial<Entry>;
    } catch {
      return null; // absent, or half of it: the registry is asked
    }
    const { answer } = entry;
    if (typeof answer !== 'string' || entry.question !== question || entry.checksum !== checksumOf(question, answer)) return null;
    return answer;
  }

  async #keep(question: string, answer: string): Promise<void> {
    if ((await this.#read(question)) === answer) return;
    const entry: Entry = { question, answer, checksum: checksumOf(question, answer) };
    const temporary = temporaryIn(this.#folder);
    try {
      await mkdir(this.#folder, { recursive: true });
      await writeSynced(temporary, `${JSON.stringify(entry)}\n`);
      await rename(temporary, this.#path(question));
    } catch {
      // A full or read-only disk: the next start asks the registry.
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  #path(question: string): string {
    return join(this.#folder, `${hash(question)}.json`);
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function checksumOf(question: string, answer: string): string {
  return hash(`${question}\0${answer}`);
}
