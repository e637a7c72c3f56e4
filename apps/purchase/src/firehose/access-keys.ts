import { readFileSync } from 'node:fs';
import { validatorFor } from '@millrace/contracts';
import { ConfigError } from '@millrace/runtime';
import { Type } from 'typebox';

const accessKeysSchema = validatorFor(
  Type.Object(
    {
      keys: Type.Array(
        Type.Object(
          {
            accessKeyId: Type.String({ pattern: '^[A-Za-z0-9_]{1,128}$' }),
            secretAccessKey: Type.String({ minLength: 16, maxLength: 256 }),
          },
          { additionalProperties: false },
        ),
        { minItems: 1, maxItems: 1000 },
      ),
    },
    { additionalProperties: false },
  ),
);

/** Secrets of the access keys by their ids. */
export type AccessKeys = ReadonlyMap<string, string>;

/**
 * Reads a file of access keys: `{"keys": [{"accessKeyId", "secretAccessKey"}]}`, 1–1,000 keys.
 *
 * @throws ConfigError when the file cannot be read or used. It never repeats a secret
 */
export function readAccessKeys(path: string): AccessKeys {
  const value = parse(path);
  if (!accessKeysSchema.check(value)) {
    const problems = accessKeysSchema.violations(value).map(({ field, message }) => `${field === '' ? 'it' : field} ${message}`);
    throw new ConfigError([`PURCHASE_FIREHOSE_KEYS_FILE ${path} cannot be used: ${problems.join('; ')}.`]);
  }
  return new Map(value.keys.map(({ accessKeyId, secretAccessKey }) => [accessKeyId, secretAccessKey]));
}

function parse(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([
      `PURCHASE_FIREHOSE_KEYS_FILE ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    ]);
  }
  try {
    return JSON.parse(text);
  } catch {
    // The message of the parser repeats a part of the text.
    throw new ConfigError([`PURCHASE_FIREHOSE_KEYS_FILE ${path} is not valid JSON.`]);
  }
}
