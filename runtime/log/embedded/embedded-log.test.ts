import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logContract } from '../log-contract.ts';
import { EmbeddedLog } from './embedded-log.ts';

logContract('embedded', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-log-'));
  return {
    make: () => new EmbeddedLog({ folder }),
    dispose: async () => rmSync(folder, { recursive: true }),
    
    valueBytesMax: 10 * 1024 * 1024,
  };
});
