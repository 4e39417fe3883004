import { createWriteStream, existsSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { VoltstreamError } from '../../errors.ts';
import { AvroContainer } from '../../schemas/avro-container.ts';
import { chargingEvent } from '../../schemas/generated/charging-event.ts';
import { station } from '../../schemas/generated/station.ts';
import type { OutputForm } from '../../simulator/district-group.ts';
import { readRecords } from '../../simulator/messages/record-encoder.ts';
import type { Slice } from '../../simulator/simulation.ts';
import type { SimulationOutput } from './simulation-output.ts';

export const folderFormats = ['jsonl', 'avro'] as const;
export type FolderFormat = (typeof folderFormats)[number];

/** How segments must come for a folder of a format. */
export function formOf(format: FolderFormat): OutputForm {
  return format === 'jsonl' ? { kind: 'json-lines' } : { kind: 'records', ids: { event: 0, station: 0 } };
}

/** A zero and the schema's id stand before each body. */
const HEAD_BYTES = 5;

/** A file that has its name only when it is complete. */
class CompleteFile {
  readonly #path: string;
  readonly #stream: WriteStream;
  readonly #failed: Promise<never>;

  constructor(path: string) {
    this.#path = path;
    this.#stream = createWriteStream(`${path}.part`);
    this.#failed = new Promise((_, reject) => { this.#stream.once('error', reject); });
    // Heard by whoever writes next, or ends.
    this.#failed.catch(() => undefined);
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length > 0 && !this.#stream.write(bytes)) await Promise.race([new Promise<void>((resolve) => { this.#stream.once('drain', resolve); }), this.#failed]);
  }

  async finish(): Promise<void> {
    await this.close();
    await rename(`${this.#path}.part`, this.#path);
  }

  async close(): Promise<void> {
    this.#stream.end();
    await Promise.race([once(this.#stream, 'close'), this.#failed]);
  }
}

/** Events or stations in one file of a format; what is no event stands in a file of its own where the format has no place for it. */
interface Target {
  write(bytes: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  close(): Promise<void>;
}

class AvroTarget<T> implements Target {
  readonly #file: CompleteFile;
  readonly #malformed: CompleteFile | null;
  readonly #container: AvroContainer<T>;
  #begun = false;

  constructor(file: CompleteFile, malformed: CompleteFile | null, container: AvroContainer<T>) {
    this.#file = file;
    this.#malformed = malformed;
    this.#container = container;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#begin();
    for (const { value } of readRecords(bytes)) {
      if (value[0] !== 0) {
        await this.#malformed?.write(Buffer.concat([value, Buffer.from('\n')]));
        continue;
      }
      const block = this.#container.add(value.subarray(HEAD_BYTES));
      if (block !== null) await this.#file.write(block);
    }
  }

  async finish(): Promise<void> {
    await this.#begin();
    await this.#file.write(this.#container.end() ?? new Uint8Array());
    await this.#file.finish();
    await this.#malformed?.finish();
  }

  async close(): Promise<void> {
    await this.#file.close();
    await this.#malformed?.close();
  }

  async #begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    await this.#file.write(this.#container.header());
  }
}

/** What a folder is opened with. */
export interface FolderContent {
  readonly format: FolderFormat;
  /** What was simulated; it goes to simulation.json. */
  readonly about: object;
  /** Further files with their text: reference data. */
  readonly files: Readonly<Record<string, string>>;
  readonly force: boolean;
}

/**
 * Events and stations as JSON lines or Avro object container files in a folder, the reference data that belongs to them, and the ledger beside them. Files that
 * are not complete end in `.part`.
 */
export class FolderOutput implements SimulationOutput {
  readonly firstSlice = 0;
  readonly #files: Readonly<Record<'events' | 'stations' | 'sessions' | 'statuses' | 'faults', Target>>;

  private constructor(folder: string, { format, about }: FolderContent) {
    const ledger = (name: string): CompleteFile => new CompleteFile(join(folder, 'ledger', `${name}.jsonl`));
    const mark = JSON.stringify(about);
    this.#files = {
      ...(format === 'jsonl'
        ? { events: new CompleteFile(join(folder, 'events.jsonl')), stations: new CompleteFile(join(folder, 'stations.jsonl')) }
        : {
            events: new AvroTarget(new CompleteFile(join(folder, 'events.avro')), new CompleteFile(join(folder, 'events.malformed')), new AvroContainer(chargingEvent, mark)),
            stations: new AvroTarget(new CompleteFile(join(folder, 'stations.avro')), null, new AvroContainer(station, mark)),
          }),
      sessions: ledger('sessions'), statuses: ledger('statuses'), faults: ledger('faults'),
    };
  }

  /** Throws CONFIGURATION_INVALID for a folder that has something in it, unless `force`. */
  static async open(folder: string, content: FolderContent): Promise<FolderOutput> {
    if (existsSync(folder) && !content.force && (await readdir(folder)).length > 0) {
      throw new VoltstreamError('CONFIGURATION_INVALID', 'the folder for the simulation is not empty', {
        where: folder, wanted: 'a new or empty folder', got: 'a folder with files', cure: 'Name another folder, or write over what is there with --force.',
      });
    }
    await mkdir(join(folder, 'ledger'), { recursive: true });
    const files = { 'simulation.json': `${JSON.stringify(content.about, null, 2)}\n`, ...content.files };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    return new FolderOutput(folder, content);
  }

  async write(slice: Slice): Promise<void> {
    const { events, stations, sessions, statuses, faults } = this.#files;
    for (const { segment, ledger } of slice.districts) {
      await stations.write(segment.stations);
      await events.write(segment.events);
      if (ledger === null) continue;
      await sessions.write(ledger.sessions);
      await statuses.write(ledger.statuses);
      await faults.write(ledger.faults);
    }
  }

  async finish(): Promise<void> {
    for (const file of Object.values(this.#files)) await file.finish();
  }

  async abandon(): Promise<void> {
    for (const file of Object.values(this.#files)) await file.close();
  }
}
