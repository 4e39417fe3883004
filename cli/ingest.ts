import { ingestJsonLines } from '../charging/ingest/ingest-json-lines.ts';
import { chargingTopics } from '../charging/topics.ts';
import { loadConfiguration } from '../runtime/configuration.ts';
import type { ConfigurationSources } from '../runtime/configuration.ts';
import { logAndRegistryOf } from '../runtime/ports.ts';
import { thousands } from './progress.ts';

/** Takes files of events into the log. Works beside a running process: the log takes appends of several. */
export async function ingest(sources: ConfigurationSources, files: readonly string[], options: { readonly json: boolean }): Promise<void> {
  const configuration = loadConfiguration(sources);
  const { log, registry } = await logAndRegistryOf(configuration);
  await log.open();
  await registry.open();
  try {
    await log.createTopics(chargingTopics(configuration.partitions));
    const producer = await log.producer();
    let told = '';
    for (const file of files) {
      const outcome = await ingestJsonLines({
        file, producer, registry, nowMs: Date.now, ...(file === '-' ? { input: process.stdin } : {}),
        retrying: ({ code, message }) => {
          if (code !== told) process.stderr.write(`${message}\n`);
          told = code;
        },
        onProgress: ({ lines, bytes, bytesTotal }) => {
          if (process.stderr.isTTY) {
            process.stderr.write(`\r\x1b[2K${file}: ${thousands(lines)} lines${bytesTotal === null || bytesTotal === 0 ? '' : `, ${Math.round((bytes / bytesTotal) * 100)} %`}`);
          }
        },
      });
      if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
      process.stdout.write(options.json
        ? `${JSON.stringify({ file, ...outcome })}\n`
        : `${file}: ${thousands(outcome.events)} events, ${thousands(outcome.quarantined)} lines quarantined` +
          `${outcome.skippedBytes > 0 ? `, ${thousands(outcome.skippedBytes)} bytes taken before` : ''}\n`);
    }
    await producer.close();
  } finally {
    await registry.close();
    await log.close();
  }
}
