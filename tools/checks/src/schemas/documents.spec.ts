import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import {
  asyncApiOf,
  jsonSchemaOf,
  openApiOf,
  projectorApi,
  purchaseApi,
  purchases,
  queryApi,
  queryWorkerApi,
  sinkApi,
  streams,
  validatorFor,
} from '@millrace/contracts';
import { runtimeOperations } from '@millrace/runtime';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { repository, textOf } from '../repository.ts';
import { schemaIncompatibilities, streamIncompatibilities, type JsonObject } from './compatibility.ts';

const folder = 'docs/schemas';
const apis = [purchaseApi, queryApi, sinkApi, queryWorkerApi, projectorApi];
const documents = apis.map((api) => openApiOf({ ...api, operations: [...api.operations, ...runtimeOperations] }));

function published(name: string): JsonObject {
  return JSON.parse(textOf(`${folder}/published/${name}`)) as JsonObject;
}

describe.each(streams)('the documents of the stream $name', (stream) => {
  const [schema, document] = [jsonSchemaOf(stream), asyncApiOf(stream)];

  it('the repository holds the documents of the contract (vitest -u writes them)', async () => {
    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot(join(repository, folder, `${stream.name}.schema.json`));
    await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot(join(repository, folder, `${stream.name}.asyncapi.json`));
  });

  it('the documents are compatible with the last published version', () => {
    expect(schemaIncompatibilities(published(`${stream.name}.schema.json`), schema)).toEqual([]);
    expect(streamIncompatibilities(published(`${stream.name}.asyncapi.json`), document)).toEqual([]);
  });

  it('the AsyncAPI document is valid by the schema of AsyncAPI 3', () => {
    const meta = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0.json') as JsonObject;
    // The schema brings its own copy of the meta-schema.
    const validate = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false }).compile(meta);
    expect(validate(document) ? [] : validate.errors).toEqual([]);
    expect(validate({ ...document, channels: [] })).toBe(false);
  });
});

describe('the JSON Schema of the purchases', () => {
  const [stream] = streams;
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(jsonSchemaOf(stream!));
  const inApp = validatorFor(purchases.eventSchema);
  const good = {
    eventId: '0199c0de-0000-7000-8000-000000000001',
    bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
    title: 'Orlando',
    author: 'Virginia Woolf',
    genre: 'Fiction',
    userId: 'test-user',
    userCountry: 'country',
    userAge: 24,
    purchaseTimestamp: 1_575_121_641,
  };

  it.each([
    [good, true],
    [{ ...good, price: 1 }, true],
    [{ ...good, userAge: 151 }, false],
    [{ ...good, title: 'a\u0000b' }, false],
    [{ ...good, eventId: null }, false],
    [{ ...good, genre: undefined }, false],
  ])('the JSON Schema and the sink agree on event %#', (event, valid) => {
    const sent: unknown = JSON.parse(JSON.stringify(event));
    expect([validate(sent), inApp.check(sent)]).toEqual([valid, valid]);
  });
});

describe('the OpenAPI documents', () => {
  it.each(documents.map((document) => [document.info.title, document] as const))(
    '%s is valid by the schema of OpenAPI 3.1',
    async (_title, document) => {
      const plain = JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
      expect(await new Validator().validate(plain)).toMatchObject({ valid: true });
      expect(await new Validator().validate({ ...plain, paths: [] })).toMatchObject({ valid: false });
    },
  );

  it('the operations have unique ids, and the schemas are described', () => {
    for (const { paths, components } of documents) {
      const ids = Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
      expect(ids.length).toBeGreaterThan(8);
      expect(new Set(ids).size).toBe(ids.length);
      expect(Object.keys(components.schemas)).toContain('Problem');
    }
  });

  it('the documents describe every route of the controllers except those of the pages for people', () => {
    const described = new Set(
      documents.flatMap(({ paths }) =>
        Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)),
      ),
    );
    const routes = ['apps/purchase', 'apps/query-api', 'apps/sink', 'libs/runtime'].flatMap(routesOf);
    expect(routes.length).toBeGreaterThan(15);
    expect(routes.filter((route) => !described.has(route) && !/^GET \/(admin\/queues\/|console)/.test(route))).toEqual([]);
  });
});

/** The routes of the controllers of a project, as their decorators name them. */
function routesOf(project: string): string[] {
  const files = readdirSync(join(repository, project, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    /[.-]controller\.ts$/.test(path),
  );
  return files.flatMap((path) => {
    const text = textOf(`${project}/src/${path}`);
    // The same controller serves every stream.
    const base = (/@Controller\((?:['`]([^'`]*)['`])?\)/.exec(text)?.[1] ?? '').replace('${stream.name}', purchases.name);
    return [...text.matchAll(/@(Get|Post|Put|Patch|Delete)\((?:'([^']*)')?\)/g)].map(([, method, rest]) => {
      const parts = [base, rest ?? ''].filter((part) => part !== '').join('/');
      return `${method!.toUpperCase()} /${parts.replaceAll(/:(\w+)/g, '{$1}')}`;
    });
  });
}
