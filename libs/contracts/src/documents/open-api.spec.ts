import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import type { HttpApi, HttpOperation } from './http-api.ts';
import { openApiOf } from './open-api.ts';

const thing = Type.Object(
  { title: Type.String(), owner: Type.Object({ name: Type.String() }, { title: 'Owner' }) },
  { $id: 'urn:thing', title: 'Thing' },
);
const operation: HttpOperation = {
  method: 'POST',
  path: '/things/{id}',
  id: 'postThing',
  tag: 'Things',
  summary: 'Post a thing',
  scopes: ['a', 'b'],
  parameters: [
    { in: 'path', name: 'id', description: 'Identity', schema: Type.String() },
    { in: 'query', name: 'limit', description: 'Limit', schema: Type.Integer() },
  ],
  body: Type.Array(thing),
  answers: [{ status: 200, description: 'Done', content: { 'application/json': thing }, headers: { ETag: 'Tag' } }],
  problems: ['not-found', 'gone'],
};
const api: HttpApi = { title: 'Things', description: 'D', version: '1.0.0', operations: [operation] };

describe('openApiOf', () => {
  const document = openApiOf(api);
  const described = document.paths['/things/{id}']!['post']!;

  it('each schema with a title is defined once, without its $id, and is referenced elsewhere', () => {
    expect(document.components.schemas['Thing']).toEqual({
      type: 'object',
      title: 'Thing',
      required: ['title', 'owner'],
      properties: { title: { type: 'string' }, owner: { $ref: '#/components/schemas/Owner' } },
    });
    expect(Object.keys(document.components.schemas)).toEqual(['Owner', 'Problem', 'Thing', 'Violation']);
    expect(described.requestBody?.content['application/json']?.schema).toEqual({
      type: 'array',
      items: { $ref: '#/components/schemas/Thing' },
    });
  });

  it('only path parameters are required', () => {
    expect(described.parameters?.map(({ name, required }) => [name, required])).toEqual([
      ['id', true],
      ['limit', false],
    ]);
  });

  it('the responses list the problems of the route and the common problems by status', () => {
    expect(Object.keys(described.responses)).toEqual(['200', '400', '401', '403', '404', '408', '410', '431', '500', '503']);
    expect(described.responses['404']).toEqual({
      description: '`not-found`: There is nothing here',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    });
    expect(described.responses['503']?.description).toBe(
      '`unavailable`: A dependency is not available; `overloaded`: The service is overloaded',
    );
  });

  it('an answer that shares its status with a problem is kept', () => {
    const ready = { ...operation, answers: [{ status: 503, description: 'Not ready', content: { 'application/json': thing } }] };
    const answer = openApiOf({ ...api, operations: [ready] }).paths['/things/{id}']!['post']!.responses['503']!;
    expect(answer.description).toMatch(/^Not ready; or a problem\. `unavailable`/);
    expect(Object.keys(answer.content ?? {})).toEqual(['application/json', 'application/problem+json']);
  });

  it.each([
    [
      ['a', 'b'],
      [{ bearer: ['a'] }, { bearer: ['b'] }],
    ],
    [[], [{ bearer: [] }]],
    ['public', []],
  ] as const)('the security of the scopes %j is stated', (scopes, security) => {
    expect(openApiOf({ ...api, operations: [{ ...operation, scopes }] }).paths['/things/{id}']!['post']!.security).toEqual(security);
  });

  it('two different schemas with one title are refused', () => {
    const other = { ...operation, path: '/others', body: Type.Object({}, { title: 'Thing' }) };
    expect(() => openApiOf({ ...api, operations: [operation, other] })).toThrow('Two schemas have the title Thing.');
  });
});
