import { validatorFor } from '@millrace/contracts';
import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import type { Static, TObject } from 'typebox';

/** The arguments of a tool, checked like a body of the HTTP API: an unknown or wrong argument is named with its limit. */
export function toolInput<S extends TObject>(schema: S): StandardSchemaWithJSON<Static<S>, Static<S>> {
  const validator = validatorFor(schema);
  const json = (): Record<string, unknown> => JSON.parse(JSON.stringify(schema)) as Record<string, unknown>;
  return {
    '~standard': {
      version: 1,
      vendor: 'millrace',
      validate: (value) =>
        validator.check(value)
          ? { value }
          : {
              issues: validator
                .violations(value)
                .map(({ field, message }) => ({ message: `${field === '' ? 'The input' : field} ${message}.` })),
            },
      jsonSchema: { input: json, output: json },
    },
  };
}
