import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { EngineMetrics, metricCatalogue } from '../runtime/metrics.ts';
import type { MetricDefinition } from '../runtime/metrics/catalogue.ts';

const root = join(import.meta.dirname, '..');

interface Dashboard {
  readonly panels: readonly { readonly id: number; readonly title: string; readonly gridPos: { readonly x: number; readonly w: number }; readonly targets?: readonly { readonly expr: string }[] }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

interface Alerts {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string; readonly labels: object; readonly annotations: object }[] }[];
}

const dashboard = JSON.parse(readFileSync(join(root, 'grafana', 'voltstream.json'), 'utf8')) as Dashboard;
const alerts = (parse(readFileSync(join(root, 'deploy', 'prometheus', 'alerts.yml'), 'utf8')) as Alerts).groups.flatMap((group) => group.rules);

const panelQueries = dashboard.panels.flatMap((panel) => (panel.targets ?? []).map(({ expr }) => ({ name: panel.title, expr })));
const alertQueries = alerts.map(({ alert, expr }) => ({ name: alert, expr }));

/** Names of series, with the labels each has: histograms have three kinds of series. */
const series = new Map<string, readonly string[]>();
for (const { name, kind, labels } of Object.values(metricCatalogue) as MetricDefinition[]) {
  if (kind !== 'histogram') series.set(name, labels);
  else for (const suffix of ['bucket', 'sum', 'count']) series.set(`${name}_${suffix}`, suffix === 'bucket' ? [...labels, 'le'] : labels);
}

/** Added by Prometheus itself when it scrapes. */
const targetLabels = ['job', 'instance'];

const namesIn = (expr: string): readonly string[] => expr.match(/\b(?:voltstream|nodejs|process)_\w+/g) ?? [];

beforeAll(async () => {
  for (const metric of await new EngineMetrics().registry.getMetricsAsJSON()) {
    if (!metric.name.startsWith('voltstream_')) series.set(metric.name, []);
  }
});

describe.each([['dashboard', panelQueries], ['alerts', alertQueries]] as const)('the %s', (_name, queries) => {
  it.each(queries)('asks only for metrics that exist: $name', ({ expr }) => {
    const names = namesIn(expr);
    if (!expr.startsWith('up{')) expect(names).not.toEqual([]);
    for (const name of names) expect([...series.keys()]).toContain(name);
  });

  it.each(queries)('groups only by labels that the metrics have: $name', ({ expr }) => {
    const known = new Set([...namesIn(expr).flatMap((name) => series.get(name) ?? []), ...targetLabels]);
    for (const [, list = ''] of expr.matchAll(/\bby \(([^)]*)\)/g)) {
      for (const label of list.split(',')) expect([...known]).toContain(label.trim());
    }
  });
});

describe('the dashboard', () => {
  it('shows every metric of the engine but those that say the same in other words', () => {
    const shown = new Set([...panelQueries.flatMap(({ expr }) => namesIn(expr)), ...namesIn(JSON.stringify(dashboard.templating))].map((name) => name.replace(/_bucket$/, '')));
    const hidden = Object.values(metricCatalogue).map((metric) => metric.name).filter((name) => !shown.has(name));
    expect(hidden).toEqual(['voltstream_state_bytes']);
  });

  it('gives each panel an id of its own and stays within the grid', () => {
    expect(new Set(dashboard.panels.map((panel) => panel.id)).size).toBe(dashboard.panels.length);
    for (const { gridPos } of dashboard.panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});

describe('the alerts', () => {
  it('have a severity, a summary and what to do', () => {
    for (const { labels, annotations } of alerts) {
      expect(labels).toEqual({ severity: expect.stringMatching(/^(critical|warning)$/) });
      expect(annotations).toEqual({ summary: expect.any(String), description: expect.stringMatching(/\.$/) });
    }
    expect(new Set(alerts.map((alert) => alert.alert)).size).toBe(alerts.length);
  });
});
