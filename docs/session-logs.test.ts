import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ingestSessionLog } from '../charging/ingest/ingest-session-log.ts';
import { readSessionLogs } from '../charging/session-log/read-session-log.ts';
import { chargingTopics } from '../charging/topics.ts';
import { readForVerification } from '../charging/verify-session-log.ts';
import { sessionLogText } from '../cli/ingest.ts';
import { mappingNamed, mappingsText } from '../cli/session-log-mapping.ts';
import { MemoryLog } from '../runtime/log/memory-log.ts';
import { FileRegistry } from '../schemas/file-registry.ts';

const page = readFileSync(join(import.meta.dirname, 'session-logs.md'), 'utf8');
const block = (language: string): string => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(page)?.[1] ?? '';
const folder = mkdtempSync(join(tmpdir(), 'session-logs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = join(folder, 'garage.csv');
const mappingFile = join(folder, 'garage.yaml');
writeFileSync(file, block('csv'));
writeFileSync(mappingFile, block('yaml'));

it('the example says what the page says', async () => {
  const log = new MemoryLog();
  const registry = new FileRegistry({ folder });
  await log.open();
  await registry.open();
  await log.createTopics(chargingTopics(1));
  const mapping = await mappingNamed(mappingFile);
  const outcome = await ingestSessionLog({ files: [file], mapping, producer: await log.producer(), registry, log, nowMs: () => 0 });
  expect(sessionLogText('garage', [file], outcome)).toBe(block('text'));
  await registry.close();
  await log.close();
});

it('its rows are what the page tells of them', async () => {
  const mapping = await mappingNamed(mappingFile);
  const rows = await Array.fromAsync(readSessionLogs([file], mapping));
  const hours = rows.map((row) => (row.kind === 'row' ? ((row.stopMs ?? 0) - (row.startMs ?? 0)) / 3_600_000 : row.reason));
  expect(hours).toEqual([3.5, 3.5, expect.closeTo(2 / 3), 0.5, 'not a connector number']);
  expect(rows.map((row) => (row.kind === 'row' ? row.energyWh : null))).toEqual([14_250, 7_500.5, 31_400, 18_900, null]);
  const other = (await readForVerification([file], mapping)).filter((row) => row.rowClass !== 'unreadable');
  const own = rows.filter((row) => row.kind === 'row');
  expect(other.map((row) => [row.id, row.startMs, row.stopMs, row.energyWh])).toEqual(own.map((row) => [row.rowId, row.startMs, row.stopMs, row.energyWh]));
});

it('names every mapping of --mappings in its table', () => {
  const names = [...mappingsText().matchAll(/^([a-z-]+) /gm)].map((match) => match[1]);
  expect([...page.matchAll(/^\| `([a-z-]+)` \| [\d,]+ \|/gm)].map((match) => match[1])).toEqual(names);
});

it('adds up: rows in = exact + flagged + quarantined + wrong, in each line', () => {
  const lines = [...page.matchAll(/^\| (?:`[a-z-]+`|all) \| (\d.*) \|$/gm)].map((match) => (match[1] ?? '').split(' | ').slice(0, 5).map((cell) => Number(cell.replaceAll(',', ''))));
  expect(lines).toHaveLength(9);
  for (const [rows = 0, ...parts] of lines) expect(parts.reduce((sum, part) => sum + part, 0)).toBe(rows);
});

it.each([
  ['no mapping of the name', 'nowhere', /there is no mapping of this name[^]*wanted: one of acn, boulder/],
  ['a file that is not there', 'nowhere.yaml', /the mapping cannot be read[^]*got: ENOENT/],
])('says what is wrong with %s', async (_what, argument, message) => {
  await expect(mappingNamed(argument)).rejects.toThrow(message);
});

it('says the line of a file that is no YAML', async () => {
  const broken = join(folder, 'broken.yaml');
  writeFileSync(broken, 'name: x\ncolumns: [1\n');
  await expect(mappingNamed(broken)).rejects.toThrow(/is not YAML or JSON[^]*line \d/);
});
