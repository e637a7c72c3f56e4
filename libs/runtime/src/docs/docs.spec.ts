import { openApiOf, type HttpApi, type HttpOperation } from '@millrace/contracts';
import { DocumentCheck } from '@millrace/contracts/testing';
import { Controller, Get, Module } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../logging/create-logger.ts';
import { type RunningService, startService } from '../service/start-service.ts';
import { docsPage } from './docs-page.ts';
import { runtimeOperations } from './runtime-operations.ts';

@Controller('things')
class ThingsController {
  @Get()
  list(): readonly string[] {
    return [];
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

const operation: HttpOperation = {
  method: 'GET',
  path: '/things',
  id: 'listThings',
  tag: 'Things',
  summary: 'List <b>all</b> things',
  description: 'Sorted by `name`',
  scopes: ['queries:run'],
  answers: [{ status: 200, description: 'The things' }],
  problems: [],
};
const api: HttpApi = { title: 'Things', description: 'Lists things.', version: '1.0.0', operations: [operation] };
const apiKeys = [{ name: 'operator', sha256: createHash('sha256').update('key').digest('hex'), scopes: ['admin'] as const }];

let service: RunningService;
let check: DocumentCheck;

beforeAll(async () => {
  service = await startService({
    name: 'things',
    module: ThingsModule,
    port: 0,
    auth: { apiKeys },
    api,
    logger: createLogger({ name: 'things', level: 'silent' }),
  });
  check = await DocumentCheck.of(service.url);
});
afterAll(async () => await service?.close());

async function faultsOf(method: string, path: string, init: RequestInit = {}): Promise<{ status: number; faults: string[] }> {
  const response = await fetch(service.url + path, {
    method,
    headers: { authorization: 'Bearer key', 'content-type': 'application/json' },
    ...init,
  });
  const { status } = response;
  return {
    status,
    faults: check.answerFaults({ method, path, status, contentType: response.headers.get('content-type'), body: await response.text() }),
  };
}

describe('the OpenAPI document of a service', () => {
  it('the document describes exactly the routes of the service', () => {
    expect(service.routes.length).toBeGreaterThan(runtimeOperations.length);
    expect(check.routeFaults(service.routes)).toEqual([]);
  });

  it.each([
    ['GET', '/health/live', 200],
    ['GET', '/health/ready', 200],
    ['GET', '/metrics', 200],
    ['GET', '/admin/pipelines', 200],
    ['GET', '/admin/pipelines/none', 404],
    ['GET', '/openapi.json', 200],
    ['GET', '/docs', 200],
  ])('the document describes the answer of %s %s', async (method, path, status) => {
    expect(await faultsOf(method, path)).toEqual({ status, faults: [] });
  });

  it.each([
    ['{', 400],
    ['{}', 404],
  ])('the document describes the answer to the change %s of an unknown pipeline', async (body, status) => {
    expect(await faultsOf('PATCH', '/admin/pipelines/none', { body })).toEqual({ status, faults: [] });
  });

  it('the document describes the refusal of a request without credentials', async () => {
    expect(await faultsOf('GET', '/metrics', { headers: {} })).toEqual({ status: 401, faults: [] });
  });
});

describe('/openapi.json and /docs', () => {
  it.each(['/openapi.json', '/docs'])('%s needs no credentials', async (path) => {
    expect((await fetch(service.url + path)).status).toBe(200);
    expect((await fetch(`${service.url}/things`)).status).toBe(401);
  });

  it('/openapi.json and /docs answer 404 in a service that describes no routes', async () => {
    const plain = await startService({
      name: 'things',
      module: ThingsModule,
      port: 0,
      logger: createLogger({ name: 'things', level: 'silent' }),
    });
    try {
      for (const path of ['/openapi.json', '/docs']) expect((await fetch(plain.url + path)).status).toBe(404);
    } finally {
      await plain.close();
    }
  });

  it('the page /docs may load no other resource', async () => {
    const response = await fetch(`${service.url}/docs`);
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='$/);
    expect(await response.text()).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|(?:src|href)="[^#"]*:/);
  });
});

describe('the page /docs', () => {
  const { html } = docsPage(openApiOf({ ...api, operations: [operation, ...runtimeOperations] }));

  it('the page shows each operation with its credentials and answers', () => {
    for (const { method, path } of [operation, ...runtimeOperations]) expect(html).toContain(`<code>${method} ${path}</code>`);
    expect(html).toContain('Scope: <code>queries:run</code>.');
    expect(html).toContain('No credentials needed.');
    expect(html).toContain('<td>404</td><td><code>not-found</code>: There is nothing here</td>');
  });

  it('the page shows each schema, and each link to a schema has a target', () => {
    const targets = [...html.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id!);
    expect(targets.length).toBeGreaterThan(20);
    expect([...new Set(targets)].filter((id) => !html.includes(`id="${id}"`))).toEqual([]);
  });

  it('the page escapes texts and marks code', () => {
    expect(html).toContain('List &lt;b&gt;all&lt;/b&gt; things. Sorted by <code>name</code>');
  });
});
