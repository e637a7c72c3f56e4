import { Metrics } from '@millrace/runtime';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sourceFiles, textOf, yamlOf } from './tree.ts';

interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  datasource?: { uid: string };
  targets?: { expr: string; legendFormat: string }[];
}
interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  labels?: { severity?: string };
  annotations?: { summary?: string; description?: string };
}

const dashboards = readdirSync(new URL('../grafana/dashboards', import.meta.url)).map(
  (name) =>
    JSON.parse(textOf(`grafana/dashboards/${name}`)) as {
      uid: string;
      panels: Panel[];
      templating: { list: { name: string; query: { query: string } }[] };
    },
);
const panels = dashboards.flatMap((dashboard) => dashboard.panels).filter((panel) => panel.type !== 'row');
const rules = (yamlOf('prometheus/rules.yaml') as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const expressions = [...panels.flatMap((panel) => panel.targets ?? []).map((target) => target.expr), ...rules.map((rule) => rule.expr)];

/** Names of metrics in a PromQL expression: the words that remain without strings, label lists, ranges, functions and keywords. */
function metricsOf(expression: string): string[] {
  const bare = expression
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(by|without|on|ignoring)\s*\([^)]*\)/g, '');
  return [...bare.matchAll(/[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\()\b/g)]
    .map((match) => match[0])
    .filter((name) => (name.includes('_') && !name.startsWith('histogram_')) || name === 'up');
}

/** Every series that some service exports: a histogram is read by its three series. */
function exported(): Set<string> {
  const code = [...sourceFiles('apps'), ...sourceFiles('libs')].map((path) => readFileSync(path, 'utf8')).join('\n');
  const named = [...code.matchAll(/'(millrace_[a-z0-9_]+)'/g)].map((match) => match[1]!);
  const histograms = new Set([...code.matchAll(/histogram(?:<[^>]*>)?\(\{\s*name: '(millrace_[a-z0-9_]+)'/g)].map((match) => match[1]!));
  const ours = named.flatMap((name) => (histograms.has(name) ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]));
  const defaults = new Metrics('any').registry.getMetricsAsArray().map((metric) => metric.name);
  return new Set([...ours, ...defaults, ...rules.flatMap((rule) => rule.record ?? []), 'up']);
}

/** Whether each sum of an expression groups by service, among others. */
function keepsService(expression: string): boolean {
  const sums = [...expression.matchAll(/\bby \(([^)]*)\)/g)];
  return sums.length > 0 && sums.every(([, labels]) => labels!.split(', ').includes('service'));
}

/** Whether each pipeline metric in an expression filters by the chosen services. */
function picksService(expression: string): boolean {
  return [...expression.matchAll(/millrace_pipeline_[a-z_]+(\{[^}]*\})?/g)].every(
    ([, labels]) => labels?.includes('service=~"$service"') === true,
  );
}

describe('metricsOf', () => {
  it('metricsOf returns the metrics of an expression and nothing else', () => {
    expect(
      metricsOf('histogram_quantile(0.5, sum by (a_b, le) (rate(x_y_bucket{route!~"a_b|c_d"}[$__rate_interval]))) / z_total > 0.8 * up'),
    ).toEqual(['x_y_bucket', 'z_total', 'up']);
  });
});

describe('dashboards and rules', () => {
  it('dashboards and rules use only metrics that the services export', () => {
    const known = exported();
    const asked = expressions.flatMap(metricsOf);
    expect(asked.length).toBeGreaterThan(20);
    expect([...new Set(asked)].filter((name) => !known.has(name))).toEqual([]);
  });

  it('each panel has a unique id, a title, a description and the provisioned data source', () => {
    const { datasources } = yamlOf('grafana/provisioning/datasources/prometheus.yaml') as { datasources: { uid: string }[] };
    expect(new Set(panels.map((panel) => panel.id)).size).toBe(panels.length);
    expect(
      panels
        .filter((panel) => !panel.title || !panel.description || panel.datasource?.uid !== datasources[0]?.uid)
        .map((panel) => panel.title),
    ).toEqual([]);
  });

  it('panels keep the series of each service separate and show only the chosen services', () => {
    const targets = panels
      .flatMap(({ title, targets: all = [] }) => all.map((target) => ({ title, ...target })))
      .filter(({ expr }) => expr.includes('millrace_pipeline_'));
    expect(targets.length).toBeGreaterThan(8);
    expect(
      targets
        .filter((target) => !keepsService(target.expr) || !target.legendFormat.includes('{{service}} {{pipeline}}'))
        .map(({ title }) => title),
    ).toEqual([]);
    expect(targets.filter((target) => !picksService(target.expr)).map(({ title }) => title)).toEqual([]);
    const variables = dashboards.flatMap(({ templating }) => templating.list);
    expect(variables.map(({ name }) => name)).toEqual(['service']);
    expect(
      variables
        .flatMap(({ query }) => metricsOf(query.query.replace(/^label_values\((.*), service\)$/, '$1')))
        .filter((name) => !exported().has(name)),
    ).toEqual([]);
  });

  it('each alert has a severity, a summary and a description', () => {
    const alerts = rules.filter((rule) => rule.alert !== undefined);
    expect(alerts).not.toEqual([]);
    expect(
      alerts
        .filter(({ labels, annotations }) => !labels?.severity || !annotations?.summary || !annotations.description)
        .map((rule) => rule.alert),
    ).toEqual([]);
  });

  it('rules and dashboards are mounted at the configured paths', () => {
    const compose = textOf('compose.yaml');
    const { rule_files: files } = yamlOf('prometheus/prometheus.yaml') as { rule_files: string[] };
    for (const file of files) expect(compose).toContain(`:${file}:ro`);
    const { providers } = yamlOf('grafana/provisioning/dashboards/millrace.yaml') as { providers: { options: { path: string } }[] };
    expect(compose).toContain(`./grafana/dashboards:${providers[0]!.options.path}:ro`);
  });

  it('Prometheus scrapes every service at its port', () => {
    const { scrape_configs: jobs } = yamlOf('prometheus/prometheus.yaml') as {
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    };
    const { services } = yamlOf('compose.yaml') as { services: Record<string, { environment?: Record<string, string> }> };
    const ports = ['purchase', 'sink', 'query-api', 'query-worker', 'projector'].map((name) => {
      const settings = services[name]?.environment ?? {};
      return `${name}:${settings['PROJECTOR_PORT'] ?? settings['QUERY_WORKER_PORT'] ?? settings['PURCHASE_PORT'] ?? settings['SINK_PORT'] ?? settings['QUERY_PORT']}`;
    });
    expect(jobs.flatMap((job) => job.static_configs.flatMap((config) => config.targets)).toSorted()).toEqual(ports.toSorted());
  });
});
