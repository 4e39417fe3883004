import { LmdbStorage } from './lmdb-storage.ts';
import { LocalLog, type LocalLogOptions } from './local-log.ts';

export interface EmbeddedLogOptions extends LocalLogOptions {
  /** Folder of the log's files; made when it is not there. */
  readonly folder: string;
  /** What writes leave free on its disk, bytes; they are refused with DISK_FULL before. Default 32 MB. */
  readonly spareBytes?: number;
}

/**
 * The partitioned log of a single machine, in LMDB: no server. Appends are atomic and survive kill -9; other processes and
 * worker threads may open the same folder and read along. See README.md beside this folder.
 */
export class EmbeddedLog extends LocalLog {
  constructor({ folder, spareBytes, ...options }: EmbeddedLogOptions) {
    super(new LmdbStorage(folder, spareBytes), options);
  }
}
