import { createWriteStream, existsSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { VoltstreamError } from '../../errors.ts';
import type { Slice } from '../../simulator/simulation.ts';
import type { SimulationOutput } from './simulation-output.ts';

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

/** JSON lines in a folder: events.jsonl, stations.jsonl, and the ledger beside them. Files that are not complete end in `.part`. */
export class FolderOutput implements SimulationOutput {
  readonly firstSlice = 0;
  readonly #files: Readonly<Record<'events' | 'stations' | 'sessions' | 'statuses' | 'faults', CompleteFile>>;

  private constructor(folder: string) {
    this.#files = {
      events: new CompleteFile(join(folder, 'events.jsonl')), stations: new CompleteFile(join(folder, 'stations.jsonl')),
      sessions: new CompleteFile(join(folder, 'ledger', 'sessions.jsonl')), statuses: new CompleteFile(join(folder, 'ledger', 'statuses.jsonl')),
      faults: new CompleteFile(join(folder, 'ledger', 'faults.jsonl')),
    };
  }

  /** `about` says what was simulated; it goes to simulation.json. Throws FILE_EXISTS for a folder that has something in it, unless `force`. */
  static async open(folder: string, about: object, force: boolean): Promise<FolderOutput> {
    if (existsSync(folder) && !force && (await readdir(folder)).length > 0) {
      throw new VoltstreamError('CONFIGURATION_INVALID', 'the folder for the simulation is not empty', {
        where: folder, wanted: 'a new or empty folder', got: 'a folder with files', cure: 'Name another folder, or write over what is there with --force.',
      });
    }
    await mkdir(join(folder, 'ledger'), { recursive: true });
    await writeFile(join(folder, 'simulation.json'), `${JSON.stringify(about, null, 2)}\n`);
    return new FolderOutput(folder);
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
