import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { VoltstreamError } from '../../errors.ts';
import { loadConfiguration } from '../../runtime/configuration.ts';
import type { Configuration, ConfigurationSources } from '../../runtime/configuration.ts';
import { readProfile } from '../../simulator/read-profile.ts';
import { thousands } from '../progress.ts';
import { daysForEvents } from './days-for-events.ts';
import { loadPage } from './load-page.ts';
import { isPassed, reportText } from './load-report.ts';
import type { LoadReport } from './load-report.ts';
import type { LoadTestOptions } from './load-test-options.ts';
import { runEmbedded } from './run-embedded.ts';
import type { LoadSample } from './samples.ts';

/** Loads the product with a simulation, and says how fast it was and whether all is right; exit code 1 unless it is. */
export async function loadTest(sources: ConfigurationSources, options: LoadTestOptions): Promise<void> {
  if (options.remove) {
    const removed = await (await import('./servers/run-servers.ts')).removeRun(sources, options.run ?? '', options.data ?? tmpdir());
    process.stdout.write(`deleted, where it was there: ${removed}\n`);
    return;
  }
  const report = await loadReport(sources, options);
  if (options.json !== null) await writeFile(options.json, `${JSON.stringify(report, null, 1)}\n`);
  if (options.html !== null) await writeFile(options.html, loadPage(report));
  process.stdout.write(reportText(report));
  if (!isPassed(report)) process.exitCode = 1;
}

export async function loadReport(sources: ConfigurationSources, options: LoadTestOptions): Promise<LoadReport> {
  const profile = readProfile(options.profile);
  const folder = options.data ?? await mkdtemp(join(tmpdir(), 'voltstream-load-test-'));
  try {
    const given = loadConfiguration({ ...sources, flags: { ...sources.flags, data: folder } });
    const configuration: Configuration = { ...given, logLevel: options.quiet ? 'silent' : 'error' };
    const isEmbedded = given.log.kind === 'embedded' && given.state.kind === 'lmdb' && given.warehouse.kind === 'chdb';
    if (isEmbedded && (options.pods > 1 || options.kills > 0)) {
      throw new VoltstreamError('CONFIGURATION_INVALID', 'embedded, the product runs in this process', {
        where: '--pods', wanted: 'a configuration with Kafka, Redis and ClickHouse, or one pod that nobody kills', got: `${options.pods} pods, ${options.kills} kills`,
      });
    }
    const show = (text: string): void => void (options.quiet || process.stderr.write(process.stderr.isTTY ? `\r\x1b[2K${text}` : `${text}\n`));
    const days = await daysForEvents(profile, options.seed, options.events, async (messages) => {
      if (process.stderr.isTTY) show(`counting: ${thousands(messages)} messages`);
      await breathe();
    });
    let shownMs = 0;
    const progress = (sample: LoadSample): void => {
      const nowMs = performance.now();
      if (nowMs - shownMs < (process.stderr.isTTY ? 250 : 5_000)) return;
      shownMs = nowMs;
      show(progressText(sample, options.events));
    };
    const tell = (text: string): void => void (options.quiet || process.stderr.write(`${process.stderr.isTTY ? '\r\x1b[2K' : ''}${text}\n`));
    const report = isEmbedded ? await runEmbedded({ configuration, profile, days, options, progress })
      : await (await import('./servers/run-servers.ts')).runServers({ sources, folder, tell, profile, days, options, progress });
    if (process.stderr.isTTY) show('');
    return report;
  } finally {
    if (options.data === null) await rm(folder, { recursive: true, force: true });
  }
}

function progressText({ seconds, sent, lag, visible, memoryMb }: LoadSample, events: number): string {
  const rate = seconds === 0 ? 0 : visible / seconds;
  const left = rate === 0 ? '' : `, about ${Math.ceil(Math.max(0, events - visible) / rate)} s left`;
  return `${thousands(sent)} messages sent, ${thousands(visible)} visible, ${thousands(rate)}/s, lag ${thousands(lag)}, ${thousands(memoryMb)} MB${left}`;
}
