/** A file with one violation, and the rule that must report it; `null` where nothing may be reported. */
export interface PlantedFile {
  readonly path: string;
  readonly source: string;
  readonly rule: string | null;
}

const imports = 'eslint(no-restricted-imports)';
const planted = (rule: string | null) => (path: string, source: string): PlantedFile => ({ path, source: `${source}\n`, rule });
const wrong = (rule: string, path: string, source: string): PlantedFile => planted(rule)(path, source);
const right = planted(null);

const order = ['schemas', 'state', 'operators', 'topology', 'runtime', 'charging', 'cli'] as const;

/** Each folder against each folder above it, except where a row below is more exact. */
const upward = order.flatMap((folder, index) => order.slice(index + 1).map((above) =>
  wrong(imports, `${folder}/upward-to-${above}.ts`, `export { thing } from '../${above}/thing.ts';`)));

const sideways: readonly PlantedFile[] = [
  wrong(imports, 'errors.ts', "export { thing } from './state/thing.ts';"),
  wrong(imports, 'index.ts', "export { thing } from './charging/thing.ts';"),
  wrong(imports, 'charging/past-the-public-interface.ts', "export { thing } from '../runtime/task/task.ts';"),
  wrong(imports, 'charging/into-the-simulator.ts', "export { thing } from '../simulator/thing.ts';"),
  wrong(imports, 'simulator/into-the-engine.ts', "export { thing } from '../operators/map.ts';"),
  wrong(imports, 'simulator/into-the-public-interface.ts', "export { thing } from '../index.ts';"),
  wrong(imports, 'console/into-commands.ts', "export { thing } from '../cli/thing.ts';"),
  wrong(imports, 'runtime/into-tests.ts', "export { thing } from '../test/services/index.ts';"),
  wrong(imports, 'runtime/task/deep-upward.ts', "export { thing } from '../../charging/thing.ts';"),
  wrong(imports, 'runtime/types-count.ts', "export type { Thing } from '../charging/thing.ts';"),
  wrong(imports, 'runtime/on-demand.ts', "export const thing = await import('../charging/thing.ts');"),
  wrong(imports, 'operators/durable-store.ts', "export { thing } from '../state/redis-state-store.ts';"),
  wrong(imports, 'topology/durable-store.ts', "export { thing } from '../state/lmdb-state-store.ts';"),
  wrong(imports, 'operators/map.test.ts', "export { thing } from '../runtime/task/task.ts';"),
  right('operators/filter.test.ts', "export { drive } from '../runtime/testing/index.ts';"),
  right('operators/windows/tumbling.test.ts', "export { drive } from '../../runtime/testing/index.ts';"),
  right('charging/sessions.test.ts', "export { drive } from '../runtime/testing/index.ts';"),
  right('charging/sessions.ts', "export { thing } from '../index.ts';"),
];

const packages: readonly PlantedFile[] = [
  ...['schemas', 'operators', 'topology', 'runtime', 'charging', 'simulator', 'console', 'cli'].map((folder) =>
    wrong(imports, `${folder}/redis.ts`, "export { Redis } from 'ioredis';")),
  ...['schemas', 'state', 'operators', 'topology', 'runtime/worker', 'runtime/sinks', 'charging', 'console', 'cli'].map((folder) =>
    wrong(imports, `${folder}/kafka.ts`, "export { Connection } from '@platformatic/kafka';")),
  wrong(imports, 'runtime/log/clickhouse.ts', "export { createClient } from '@clickhouse/client';"),
  wrong(imports, 'runtime/worker/chdb.ts', "export { Session } from 'chdb/connection';"),
  wrong(imports, 'runtime/worker/prometheus.ts', "export { Counter } from 'prom-client';"),
  wrong(imports, 'runtime/worker/pages.ts', "export { fastify } from 'fastify';"),
  wrong(imports, 'state/rxjs.ts', "export { map } from 'rxjs';"),
  wrong(imports, 'simulator/anything.ts', "export { thing } from 'never-heard-of';"),
  right('runtime/log/kafka/client.ts', "export { Connection } from '@platformatic/kafka';"),
  right('runtime/sinks/client.ts', "export { createClient } from '@clickhouse/client';"),
  right('runtime/sinks/embedded.ts', "export { Session } from 'chdb/connection';"),
  right('runtime/metrics.ts', "export { Counter } from 'prom-client';"),
  right('state/redis.ts', "export { Redis } from 'ioredis';"),
  right('schemas/registry.ts', "export { readFile } from 'node:fs/promises';"),
];

const determinism: readonly PlantedFile[] = [
  ...['operators', 'topology'].flatMap((folder) => [
    wrong('import(no-nodejs-modules)', `${folder}/files.ts`, "export { readFileSync } from 'node:fs';"),
    wrong('eslint(no-restricted-globals)', `${folder}/clock.ts`, 'export const nowMs = Date.now();'),
    wrong('eslint(no-restricted-globals)', `${folder}/timer.ts`, 'setTimeout(() => {}, 1);'),
    wrong('eslint(no-restricted-globals)', `${folder}/network.ts`, "export const answer = await fetch('http://localhost');"),
    wrong('eslint(no-restricted-globals)', `${folder}/around.ts`, 'export const now = globalThis.Date;'),
    wrong('eslint(no-restricted-properties)', `${folder}/random.ts`, 'export const chance = Math.random();'),
    wrong('eslint(no-restricted-properties)', `${folder}/instant.ts`, 'export const now = Temporal.Now.instant();'),
  ]),
  right('operators/clock.test.ts', "export { tmpdir } from 'node:os';\nexport const nowMs = Date.now();"),
];

const style: readonly PlantedFile[] = [
  wrong('import(no-default-export)', 'runtime/default.ts', 'export default 1;'),
  wrong('typescript(no-explicit-any)', 'runtime/any.ts', 'export const thing: any = 1;'),
  wrong('typescript(ban-ts-comment)', 'runtime/ignore.ts', '// @ts-ignore\nexport const thing = 1;'),
  wrong('eslint(no-empty)', 'runtime/silent.ts', 'try { await Promise.resolve(); } catch {}'),
  wrong('eslint(no-console)', 'runtime/print.ts', 'console.log(1);'),
  wrong('unicorn(filename-case)', 'runtime/camelCase.ts', 'export const thing = 1;'),
  wrong('eslint(max-lines)', 'runtime/town-square.ts', 'export const thing = 1;' + '\n'.repeat(401) + '// end'),
  wrong('eslint(max-lines-per-function)', 'runtime/long.ts', `export function long(): void {\n${'  long();\n'.repeat(71)}}`),
  wrong('vitest(no-focused-tests)', 'runtime/focused.test.ts', "import { it } from 'vitest';\nit.only('x', () => {});"),
  wrong('vitest(no-disabled-tests)', 'runtime/disabled.test.ts', "import { it } from 'vitest';\nit.skip('x', () => {});"),
  wrong('import(no-cycle)', 'runtime/cycle-a.ts', "import { b } from './cycle-b.ts';\nexport const a = (): number => b();"),
  wrong('import(no-cycle)', 'runtime/cycle-b.ts', "import { a } from './cycle-a.ts';\nexport const b = (): number => a();"),
];

export const plantedFiles: readonly PlantedFile[] = [...upward, ...sideways, ...packages, ...determinism, ...style];
