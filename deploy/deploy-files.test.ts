import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, matchesGlob, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { chargingTopics } from '../charging/topics.ts';
import { loadConfiguration, printConfiguration, settingEntries } from '../runtime/configuration.ts';
import type { Configuration } from '../runtime/configuration.ts';

const root = join(import.meta.dirname, '..');
const text = (...path: readonly string[]): string => readFileSync(join(import.meta.dirname, ...path), 'utf8');
const passwords = {
  VOLTSTREAM_LOG_SASL_PASSWORD: 'planted-1', VOLTSTREAM_STATE_PASSWORD: 'planted-2', VOLTSTREAM_REGISTRY_PASSWORD: 'planted-3', VOLTSTREAM_WAREHOUSE_PASSWORD: 'planted-4',
};
/** For leaving groups and closing connections, after the time for a graceful stop. */
const closingSeconds = 4;

function loaded(yaml: string, environment: Readonly<Record<string, string>> = passwords): Configuration {
  const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
  try {
    writeFileSync(join(folder, 'production.yaml'), yaml);
    return loadConfiguration({ file: join(folder, 'production.yaml'), environment });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('production.example.yaml', () => {
  const example = text('production.example.yaml');

  it('is a whole configuration on servers, and prints without its passwords', () => {
    const configuration = loaded(example);
    expect(configuration).toMatchObject({ log: { kind: 'kafka' }, state: { kind: 'redis' }, warehouse: { kind: 'server' }, registry: { kind: 'confluent' } });
    const printed = printConfiguration(configuration);
    expect(JSON.parse(printed)).toMatchObject({ applicationId: 'city', log: { sasl: { password: '***' } } });
    expect(printed).not.toContain('planted');
  });

  it('explains every key in the line above, in a sentence', () => {
    const lines = example.split('\n');
    const unexplained = lines.filter((line, index) => /^\s*[A-Za-z]+:/.test(line) && !/^\s*#.*\.$/.test(lines[index - 1] ?? ''));
    expect(unexplained).toEqual([]);
    for (const [name] of example.matchAll(/VOLTSTREAM_[A-Z_]+/g)) expect(settingEntries.map(({ environment }) => environment)).toContain(name);
  });
});

interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

function documents(file: string): readonly Resource[] {
  return parseAllDocuments(text('kubernetes', file)).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Resource;
  });
}

describe('the manifests for Kubernetes', () => {
  const files = readdirSync(join(import.meta.dirname, 'kubernetes')).filter((file) => file.endsWith('.yaml'));
  const resources = files.filter((file) => file !== 'kustomization.yaml').flatMap(documents);
  const find = <T>(kind: string): T => {
    const found = resources.find((resource) => resource.kind === kind);
    expect(found, kind).toBeDefined();
    return found as T;
  };
  const configuration = loaded(find<Resource>('ConfigMap').data?.['production.yaml'] ?? '');
  const { spec } = find<{ readonly spec: PodSet }>('StatefulSet');
  const { template } = spec;
  const [container] = template.spec.containers;
  if (container === undefined) throw new Error('no container');

  interface Probe { readonly httpGet: { readonly path: string; readonly port: string } }
  interface PodSet {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: object };
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: { readonly runAsUser: number; readonly runAsNonRoot: boolean };
        readonly containers: readonly {
          readonly args: readonly string[];
          readonly env: readonly { readonly name: string; readonly value?: string }[];
          readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
          readonly startupProbe: Probe; readonly readinessProbe: Probe; readonly livenessProbe: Probe;
          readonly volumeMounts: readonly { readonly mountPath: string }[];
        }[];
      };
    };
  }

  it('are named, and all but the examples are in the kustomization', () => {
    for (const { apiVersion, kind, metadata } of resources) expect([apiVersion, kind, metadata.name].every((one) => one.length > 0)).toBe(true);
    const { resources: listed } = parse(text('kubernetes', 'kustomization.yaml')) as { readonly resources: readonly string[] };
    expect([...listed].sort()).toEqual(files.filter((file) => file !== 'kustomization.yaml' && !file.includes('example')).sort());
  });

  it('say the same as the configuration: port, folder, time to stop, partitions, application', () => {
    expect(container.ports).toEqual([{ name: 'http', containerPort: configuration.http.port }]);
    expect([container.startupProbe, container.readinessProbe, container.livenessProbe].map(({ httpGet }) => `${httpGet.port}${httpGet.path}`)).toEqual(['http/health', 'http/ready', 'http/health']);
    expect(template.spec.terminationGracePeriodSeconds).toBeGreaterThan(configuration.shutdownTimeoutMs / 1_000 + closingSeconds + 5);
    expect(container.volumeMounts.map(({ mountPath }) => mountPath)).toEqual(expect.arrayContaining([configuration.dataFolder, dirname(container.args.at(-1) ?? '')]));
    expect(spec.replicas).toBeLessThanOrEqual(configuration.partitions);
    expect(configuration.http.host).toBe('0.0.0.0');
    const scaled = find<{ readonly spec: { readonly maxReplicaCount: number; readonly triggers: readonly { readonly metadata: { readonly consumerGroup: string; readonly topic: string } }[] } }>('ScaledObject');
    expect(scaled.spec.maxReplicaCount).toBeLessThanOrEqual(configuration.partitions);
    const [trigger] = scaled.spec.triggers;
    expect(trigger?.metadata.consumerGroup).toBe(configuration.applicationId);
    expect(chargingTopics(1).map(({ topic }) => topic)).toContain(trigger?.metadata.topic);
  });

  it('give only settings that exist, passwords by the secret, and select their own pods', () => {
    const known = new Set([...settingEntries.map(({ environment }) => environment), 'POD_NAME', 'NODE_OPTIONS']);
    for (const { name } of container.env) expect(known).toContain(name);
    const secret = Object.keys(find<Resource>('Secret').stringData ?? {});
    expect(secret.sort()).toEqual(settingEntries.filter(({ setting }) => setting.secrecy === 'secret').map(({ environment }) => environment).filter((name) => secret.includes(name)).sort());
    expect(Object.keys(passwords).sort()).toEqual(secret.sort());
    for (const kind of ['PodDisruptionBudget', 'StatefulSet']) {
      expect(find<{ readonly spec: { readonly selector: { readonly matchLabels: object } } }>(kind).spec.selector.matchLabels).toEqual(template.metadata.labels);
    }
    expect(template.spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: Number(/^USER (\d+)/m.exec(text('docker', 'Dockerfile'))?.[1]) });
  });

  it('set options that Node has', () => {
    const options = container.env.find(({ name }) => name === 'NODE_OPTIONS')?.value ?? '';
    expect(spawnSync(process.execPath, ['-e', ''], { env: { NODE_OPTIONS: options }, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });
});

/** Files that a program reaches by its imports, as paths from the root. */
function reached(entry: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(entry)) return found;
  found.add(entry);
  if (!entry.endsWith('.ts')) return found;
  const source = readFileSync(join(root, entry), 'utf8');
  for (const [, path = ''] of source.matchAll(/(?:from|import\(|import|new URL\()\s*'(\.{1,2}\/[^']+)'/g)) {
    const file = relative(root, resolve(root, dirname(entry), path));
    if (existsSync(join(root, file)) && statSync(join(root, file)).isFile()) reached(file, found);
  }
  return found;
}

describe('the image', () => {
  const dockerfile = text('docker', 'Dockerfile');
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) => names.split(' '));
  const ignored = text('docker', 'Dockerfile.dockerignore').split('\n').filter((line) => line !== '');

  it('holds every file that the command reaches, and the migrations', () => {
    const files = [...reached('cli/voltstream.ts')];
    expect(files.length).toBeGreaterThan(100);
    expect(files.filter((file) => !copied.some((name) => file === name || file.startsWith(`${name}/`)))).toEqual([]);
    expect(files.filter((file) => ignored.some((pattern) => file === pattern || file.startsWith(`${pattern}/`) || matchesGlob(file, pattern) || matchesGlob(file, `${pattern}/**`)))).toEqual([]);
    expect(copied).toContain('deploy/clickhouse');
    for (const name of copied) expect([name, existsSync(join(root, name))]).toEqual([name, true]);
  });

  it('runs the command itself, not as root', () => {
    expect(dockerfile).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
    expect(dockerfile).toContain('RUN npm ci --omit=dev');
    const [, command = ''] = /^ENTRYPOINT (\[.+\])$/m.exec(dockerfile) ?? [];
    expect((JSON.parse(command) as readonly string[]).at(-1)).toBe('cli/voltstream.ts');
  });
});

describe('the compose file', () => {
  interface Compose {
    readonly services: Readonly<Record<string, {
      readonly image?: string; readonly environment?: Readonly<Record<string, string | number>>; readonly volumes?: readonly string[];
      readonly depends_on?: object; readonly stop_grace_period?: string;
    }>>;
    readonly volumes: object;
  }
  const { services, volumes } = parse(text('docker', 'docker-compose.yml')) as Compose;

  it('gives a whole configuration by environment variables, and time to stop', () => {
    const { environment = {}, stop_grace_period: grace = '' } = services['voltstream'] ?? {};
    const configuration = loadConfiguration({ environment: Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)])) });
    expect(configuration).toMatchObject({ log: { kind: 'kafka' }, state: { kind: 'redis' }, warehouse: { kind: 'server' } });
    expect(Number(grace.replace('s', ''))).toBeGreaterThan(configuration.shutdownTimeoutMs / 1_000 + closingSeconds + 5);
    for (const name of Object.keys(services['voltstream']?.depends_on ?? {})) expect(Object.keys(services)).toContain(name);
  });

  it('mounts files that exist and volumes that it has, and names versions', () => {
    for (const { volumes: mounts = [], image } of Object.values(services)) {
      expect(image).toMatch(/:[^:]*\d/);
      for (const mount of mounts) {
        const [from = ''] = mount.split(':');
        expect([mount, from.startsWith('.') ? existsSync(join(import.meta.dirname, 'docker', from)) : from in volumes]).toEqual([mount, true]);
      }
    }
  });

  it('comes with files for Prometheus and Grafana that parse', () => {
    const { scrape_configs: jobs, rule_files: rules } = parse(text('docker', 'prometheus.yml')) as { readonly scrape_configs: readonly { readonly job_name: string }[]; readonly rule_files: readonly string[] };
    expect([jobs.map((job) => job.job_name), rules]).toEqual([['voltstream'], ['alerts.yml']]);
    for (const file of ['datasources.yml', 'dashboards.yml']) expect(parse(text('docker', 'grafana', file))).toMatchObject({ apiVersion: 1 });
  });

  const promtool = spawnSync('promtool', ['--version']).error === undefined;
  it.runIf(promtool)('and that promtool accepts', () => {
    for (const words of [['check', 'rules', 'prometheus/alerts.yml'], ['check', 'config', '--syntax-only', 'prometheus/prometheus.yml'], ['check', 'config', '--syntax-only', 'docker/prometheus.yml']]) {
      const { status, stderr } = spawnSync('promtool', words, { cwd: import.meta.dirname, encoding: 'utf8' });
      expect([words.join(' '), status, status === 0 ? '' : stderr]).toEqual([words.join(' '), 0, '']);
    }
  });
});
