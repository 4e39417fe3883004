import { createWriteStream } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Slice } from '../../simulator/simulation.ts';
import type { SimulationOutput } from './simulation-output.ts';

const kinds = ['sessions', 'statuses', 'faults'] as const;

/** The ledger of a simulation into the log: written anew from the beginning, also by a run that goes on, so that it is whole. */
export class LedgerFolder implements SimulationOutput {
  readonly #folder: string;
  readonly #into: SimulationOutput;
  readonly #streams: Readonly<Record<(typeof kinds)[number], WriteStream>>;

  private constructor(folder: string, into: SimulationOutput) {
    this.#folder = folder;
    this.#into = into;
    this.#streams = {
      sessions: createWriteStream(join(folder, 'sessions.jsonl.part')), statuses: createWriteStream(join(folder, 'statuses.jsonl.part')),
      faults: createWriteStream(join(folder, 'faults.jsonl.part')),
    };
  }

  static async open(folder: string, about: object, into: SimulationOutput): Promise<LedgerFolder> {
    await mkdir(folder, { recursive: true });
    for (const kind of kinds) await rm(join(folder, `${kind}.jsonl`), { force: true });
    await writeFile(join(folder, 'simulation.json'), `${JSON.stringify(about, null, 2)}\n`);
    return new LedgerFolder(folder, into);
  }

  get firstSlice(): number {
    return this.#into.firstSlice;
  }

  async write(slice: Slice): Promise<void> {
    for (const { ledger } of slice.districts) {
      for (const kind of kinds) if (ledger !== null && ledger[kind].length > 0 && !this.#streams[kind].write(ledger[kind])) await once(this.#streams[kind], 'drain');
    }
    await this.#into.write(slice);
  }

  async flush(): Promise<void> {
    await this.#into.flush?.();
  }

  async finish(): Promise<void> {
    await this.#close();
    for (const kind of kinds) await rename(join(this.#folder, `${kind}.jsonl.part`), join(this.#folder, `${kind}.jsonl`));
    await this.#into.finish();
  }

  async abandon(): Promise<void> {
    await this.#close();
    await this.#into.abandon();
  }

  async #close(): Promise<void> {
    for (const stream of Object.values(this.#streams)) {
      stream.end();
      await once(stream, 'close');
    }
  }
}
