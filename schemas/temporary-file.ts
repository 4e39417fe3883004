import { randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

/** A name that no other process uses, in the folder where the file is to be put in place by `rename` or `link`. */
export function temporaryIn(folder: string): string {
  return join(folder, `${randomUUID()}.tmp`);
}

/** Writes a new file, and waits until it is on the disk: what is put in place afterwards is whole, whoever is killed. */
export async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
