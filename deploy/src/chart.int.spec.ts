import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { manifestFaults, type Manifest } from './manifest-faults.ts';
import { chart, helm, rendered, textOf } from './rendered.ts';

interface Container {
  readonly name: string;
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly securityContext: Record<string, unknown>;
  readonly resources: { readonly limits?: { readonly memory?: string } };
  readonly livenessProbe?: unknown;
  readonly readinessProbe?: unknown;
  readonly startupProbe?: unknown;
}
interface PodSpec {
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken: boolean;
  readonly enableServiceLinks: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext: Record<string, unknown>;
  readonly containers: readonly Container[];
  readonly volumes?: readonly { readonly name: string }[];
  readonly topologySpreadConstraints?: readonly unknown[];
}
interface WorkloadSpec {
  readonly replicas?: number;
  readonly selector: { readonly matchLabels: Record<string, string> };
  readonly template: { readonly metadata: { readonly labels: Record<string, string> }; readonly spec: PodSpec };
  readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
}

const valuesFiles = ['values-trial.yaml', 'values-production.yaml', 'values-aws.yaml'] as const;
const services = ['purchase', 'sink', 'projector', 'query-api', 'query-worker'];
const found = process.env['MILLRACE_HELM'] !== undefined;
const byFile: Record<string, Manifest[]> = {};

const kindOf = (list: readonly Manifest[], kind: string): Manifest[] => list.filter((one) => one.kind === kind);
const componentOf = (one: Manifest): string => one.metadata.labels?.['app.kubernetes.io/component'] ?? '';
/** The workloads of the services. */
function workloads(list: readonly Manifest[]): { name: string; kind: string; spec: WorkloadSpec; pod: PodSpec; container: Container }[] {
  return list.flatMap(({ kind, metadata, spec }) => {
    const name = metadata.labels?.['app.kubernetes.io/component'] ?? '';
    if (!['Deployment', 'StatefulSet', 'Job'].includes(kind) || ![...services, 'set-up'].includes(name)) return [];
    const workload = spec as WorkloadSpec;
    const pod = workload.template.spec;
    return [{ name, kind, spec: workload, pod, container: pod.containers[0]! }];
  });
}
const envOf = ({ env }: Container): Map<string, string> => new Map(env.map(({ name, value }) => [name, value ?? 'from a secret']));
const workloadOf = (list: readonly Manifest[], name: string) => workloads(list).find((one) => one.name === name)!;
const specOf = (list: readonly Manifest[], kind: string, name: string): unknown =>
  list.find((one) => one.kind === kind && one.metadata.name === `millrace-${name}`)?.spec;

describe.skipIf(!found)('the chart (skipped without Helm)', () => {
  beforeAll(async () => {
    await Promise.all(valuesFiles.map(async (file) => void (byFile[file] = await rendered(file))));
  });

  it.each(valuesFiles)('helm lint accepts %s', async (file) => {
    const { code, output } = await helm(['lint', '--strict', chart, '-f', join(chart, file)]);
    expect(output).toContain('0 chart(s) failed');
    expect(code).toBe(0);
  });

  it.each(valuesFiles)('each object of %s is valid by the schemas of Kubernetes, KEDA and the Prometheus operator', async (file) => {
    const list = byFile[file]!;
    expect(list.length).toBeGreaterThan(20);
    expect((await Promise.all(list.map(manifestFaults))).flat()).toEqual([]);
    const names = list.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names.filter((name, n) => names.indexOf(name) !== n)).toEqual([]);
  });

  it('the images of the chart have the version of the repository', () => {
    const { version } = JSON.parse(textOf('package.json')) as { version: string };
    const images = workloads(byFile['values-trial.yaml']!).map(({ container }) => container.image);
    expect(images.filter((image) => !image.endsWith(`:${version}`))).toEqual([]);
  });

  it('the check of manifests finds an unknown field and a wrong type', async () => {
    const [service] = kindOf(byFile['values-trial.yaml']!, 'Service');
    const spec = service!.spec as Record<string, unknown>;
    expect(await manifestFaults({ ...service!, spec: { ...spec, portz: [] } })).toEqual([
      `Service ${service!.metadata.name}: /spec/portz is not a known field.`,
    ]);
    expect((await manifestFaults({ ...service!, spec: { ...spec, ports: 80 } }))[0]).toContain('ports');
  });

  it.each(valuesFiles)('every service of %s runs without root, capabilities, a writable root and a token of the API', (file) => {
    const list = workloads(byFile[file]!);
    expect(list.map(({ name }) => name).toSorted()).toEqual([...services, 'set-up'].toSorted());
    for (const { pod, container } of list) {
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect([pod.automountServiceAccountToken, pod.enableServiceLinks]).toEqual([false, false]);
      expect(container.resources.limits?.memory).toMatch(/^\d+[MG]i$/);
    }
  });

  it.each(valuesFiles)('every pod of %s mounts only its own volumes, and has three probes and time for a clean stop', (file) => {
    for (const { name, spec, pod, container } of workloads(byFile[file]!)) {
      const volumes = [...(pod.volumes ?? []), ...(spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata)];
      expect(container.volumeMounts.map((mount) => mount.name).toSorted()).toEqual(volumes.map((volume) => volume.name).toSorted());
      if (name === 'set-up') continue;
      expect([container.livenessProbe, container.readinessProbe, container.startupProbe]).not.toContain(undefined);
      const drainMs = Number(envOf(container).get('MILLRACE_DRAIN_DELAY_MS'));
      // Sink and workers finish work for up to 20 s after the drain, and the process ends itself 30 s after it at the latest.
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(drainMs / 1000 + 30);
      expect(spec.selector.matchLabels).toEqual(spec.template.metadata.labels);
    }
  });

  it('processes get only settings of docs/settings.md', () => {
    const documented = textOf('docs/settings.md');
    const ofAws = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_STS_REGIONAL_ENDPOINTS'];
    const given = valuesFiles.flatMap((file) => workloads(byFile[file]!).flatMap(({ container }) => [...envOf(container).keys()]));
    expect([...new Set(given)].filter((name) => !documented.includes(`\`${name}\``) && !ofAws.includes(name))).toEqual([]);
  });

  it('secrets come as files or from a secret, and never as text in the manifests', () => {
    const list = workloads(byFile['values-production.yaml']!);
    const purchase = envOf(workloadOf(byFile['values-production.yaml']!, 'purchase').container);
    expect(purchase.get('KAFKA_SASL_PASSWORD_FILE')).toBe('/etc/millrace/kafka-login/password');
    expect(purchase.get('REDIS_URL')).toBe('from a secret');
    const texts = list.flatMap(({ container }) => container.env.filter(({ value }) => value !== undefined));
    expect(texts.filter(({ name }) => /(PASSWORD|SECRET|ACCESS_KEY|ID_SECRET)$/.test(name))).toEqual([]);
  });

  it('purchase API and sink keep a volume each, and the purchase API is a Deployment without the outbox', async () => {
    const list = byFile['values-trial.yaml']!;
    for (const name of ['purchase', 'sink']) {
      const { kind, spec } = workloadOf(list, name);
      expect([kind, spec.volumeClaimTemplates?.length]).toEqual(['StatefulSet', 1]);
    }
    expect(envOf(workloadOf(list, 'purchase').container).get('PURCHASE_OUTBOX_DIR')).toBe('/var/lib/millrace/outbox');
    const without = workloadOf(await rendered('values-trial.yaml', ['purchase.outbox.enabled=false']), 'purchase');
    expect([without.kind, envOf(without.container).has('PURCHASE_OUTBOX_DIR')]).toEqual(['Deployment', false]);
  });

  it('the set-up is a hook before installation and upgrade, or a job for each revision beside bundled parts', () => {
    const hook = kindOf(byFile['values-production.yaml']!, 'Job')[0]!;
    expect(hook.metadata.annotations?.['helm.sh/hook']).toBe('pre-install,pre-upgrade');
    const accounts = kindOf(byFile['values-production.yaml']!, 'ServiceAccount');
    // The job needs its account before the release exists.
    expect(accounts.find((one) => componentOf(one) === 'set-up')?.metadata.annotations?.['helm.sh/hook']).toBe('pre-install,pre-upgrade');
    const job = kindOf(byFile['values-trial.yaml']!, 'Job')[0]!;
    expect([job.metadata.name, job.metadata.annotations]).toEqual(['millrace-set-up-1', undefined]);
  });

  it('each service account on AWS has the IAM role of its process, and the pods use it', () => {
    const list = byFile['values-aws.yaml']!;
    for (const { pod, name } of workloads(list)) {
      const account = kindOf(list, 'ServiceAccount').find((one) => one.metadata.name === pod.serviceAccountName);
      const role = name.startsWith('query') ? 'query' : name;
      expect(account?.metadata.annotations?.['eks.amazonaws.com/role-arn']).toMatch(new RegExp(`:role/millrace-${role}$`));
    }
    expect(workloads(list).flatMap(({ container }) => [...envOf(container).keys()])).not.toContain('AWS_ACCESS_KEY_ID');
  });

  it('more replicas are spread over zones and hosts and survive the drain of a node one by one', () => {
    const list = byFile['values-production.yaml']!;
    for (const { name, pod } of workloads(list).filter((one) => one.name !== 'set-up'))
      expect([name, pod.topologySpreadConstraints?.length]).toEqual([name, 2]);
    expect(kindOf(list, 'PodDisruptionBudget').map(componentOf)).toEqual(['purchase', 'sink', 'query-api', 'query-worker']);
  });

  it('only the named peers reach the APIs, and only monitoring reaches the other processes', () => {
    interface Policy {
      readonly ingress: readonly { readonly from: readonly unknown[] }[];
      readonly egress: readonly { readonly ports?: readonly { readonly port: number }[] }[];
    }
    const list = byFile['values-production.yaml']!;
    const of = (name: string): Policy => specOf(list, 'NetworkPolicy', name) as Policy;
    expect(of('purchase').ingress[0]!.from).toHaveLength(4);
    expect(of('sink').ingress[0]!.from).toHaveLength(2);
    const ports = (name: string): number[] =>
      of(name)
        .egress.flatMap((rule) => rule.ports ?? [])
        .map(({ port }) => port);
    expect(ports('purchase')).toEqual(expect.arrayContaining([53, 443, 9093, 6379]));
    expect(ports('query-worker')).not.toContain(9093);
  });

  it('autoscalers own the number of replicas, and KEDA scales the sink by the lag of partitions that have one', () => {
    const list = byFile['values-production.yaml']!;
    const scaled = [...kindOf(list, 'HorizontalPodAutoscaler'), ...kindOf(list, 'ScaledObject')].map(componentOf);
    expect(scaled).toEqual(['purchase', 'query-api', 'query-worker', 'sink']);
    for (const name of scaled) expect([name, workloadOf(list, name).spec.replicas]).toEqual([name, undefined]);
    expect(specOf(list, 'HorizontalPodAutoscaler', 'purchase')).toMatchObject({ scaleTargetRef: { kind: 'StatefulSet' } });
    expect(specOf(list, 'ScaledObject', 'sink')).toMatchObject({
      cooldownPeriod: 300,
      triggers: [{ type: 'kafka', metadata: { consumerGroup: 'millrace-sink', limitToPartitionsWithLag: 'true', lagThreshold: '50000' } }],
    });
  });

  it('rules and dashboard are those of the compose file, under the job and labels that they ask for', () => {
    const list = byFile['values-production.yaml']!;
    expect(kindOf(list, 'PrometheusRule')[0]!.spec).toEqual(parse(textOf('docker/prometheus/rules.yaml')));
    expect(list.find(({ metadata }) => metadata.name === 'millrace-dashboard')?.data).toEqual({
      'millrace.json': textOf('docker/grafana/dashboards/millrace.json'),
    });
    const monitor = kindOf(list, 'ServiceMonitor')[0]!.spec as { jobLabel: string; endpoints: { honorLabels: boolean }[] };
    expect(monitor.endpoints[0]!.honorLabels).toBe(true);
    for (const service of kindOf(list, 'Service')) expect(service.metadata.labels?.[monitor.jobLabel]).toBe('millrace');
  });

  it.each([
    ['without Kafka', ['bundled.kafka.enabled=false'], 'set kafka.brokers'],
    ['without authentication', ['auth.apiKeys.existingSecret='], 'Authentication is off'],
    ['with an unknown value', ['sink.spool.bytes=1'], "additional properties 'bytes' not allowed"],
    ['with a number in place of a size', ['sink.spool.size=5'], '/sink/spool/size'],
    ['with a hook before its Kafka', ['setUp.hook=true'], 'set setUp.hook to false'],
  ])('an installation %s is refused with the remedy', async (_what, settings, text) => {
    await expect(rendered('values-trial.yaml', settings)).rejects.toThrow(text);
  });
});
