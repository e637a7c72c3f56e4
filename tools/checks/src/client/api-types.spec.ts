import { join } from 'node:path';
import { openApiOf, purchaseApi, queryApi, type OpenApiDocument } from '@millrace/contracts';
import { describe, expect, it } from 'vitest';
import { repository } from '../repository.ts';
import { typeTextOf } from './type-text.ts';

function documentWith(schemas: Readonly<Record<string, object>>): OpenApiDocument {
  return { ...openApiOf(purchaseApi), components: { schemas: schemas as never, securitySchemes: {} } };
}

describe('libs/client/src/api-types.ts', () => {
  it('the types of the client equal those of the OpenAPI documents (vitest -u writes them)', async () => {
    // Producers that use Firehose have the client of AWS.
    const operations = purchaseApi.operations.filter(({ tag }) => tag !== 'Firehose');
    const text = typeTextOf([openApiOf({ ...purchaseApi, operations }), openApiOf(queryApi)]);
    await expect(text).toMatchFileSnapshot(join(repository, 'libs/client/src/api-types.ts'));
  });
});

describe('typeTextOf', () => {
  it('objects, lists, unions, literals and references become TypeScript types', () => {
    const text = typeTextOf([
      documentWith({
        B: { anyOf: [{ $ref: '#/components/schemas/A' }, { type: 'null' }] },
        A: {
          type: 'object',
          required: ['list'],
          description: 'One A',
          properties: {
            list: { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'integer' }] } },
            kind: { enum: ['x', 'y'] },
            by: { type: 'object', patternProperties: { '^.*$': { const: 1 } } },
          },
        },
      }),
    ]);
    expect(text.split('\n').slice(3).join('\n')).toBe(
      [
        '/** One A. */',
        'export interface A {',
        '  readonly list: readonly (string | number)[];',
        "  readonly kind?: 'x' | 'y';",
        '  readonly by?: Readonly<Record<string, 1>>;',
        '}',
        '',
        'export type B = A | null;',
        '',
      ].join('\n'),
    );
  });

  it('an unknown kind of schema is refused', () => {
    expect(() => typeTextOf([documentWith({ A: { not: {} } })])).toThrow('No TypeScript type is known');
  });
});
