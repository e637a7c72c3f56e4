import { type Validator, validatorFor } from '@millrace/contracts';
import { createHash, timingSafeEqual } from 'node:crypto';
import { Type } from 'typebox';
import { ConfigError } from '../errors.ts';
import type { Principal } from './principal.ts';
import { type Scope, isScope, scopes } from './scope.ts';

/** One key as it is stored: its hash, never the key. */
export interface ApiKey {
  /** Owner of the key, for logs. */
  readonly name: string;
  /** SHA-256 of the key, 64 hexadecimal digits. Keys are long and random, so a slow hash would add nothing. */
  readonly sha256: string;
  /** Scopes of the key, at least one. No scope implies another. */
  readonly scopes: readonly Scope[];
  /** Time from which the key is refused, ISO 8601. Default: never. */
  readonly expiresAt?: string;
}

const keyFileSchema = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 128 }),
          sha256: Type.String({ pattern: '^[0-9a-fA-F]{64}$' }),
          scopes: Type.Array(Type.Enum([...scopes]), { minItems: 1 }),
          expiresAt: Type.Optional(Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$' })),
        },
        { additionalProperties: false },
      ),
      { maxItems: 1000 },
    ),
  },
  { additionalProperties: false },
);
const keyFile: Validator<typeof keyFileSchema> = validatorFor(keyFileSchema);

/**
 * Reads the text of a key file: `{"keys": [{"name", "sha256", "scopes", "expiresAt"?}]}`, at most 1000 keys.
 * @throws ConfigError naming every field that is wrong.
 */
export function parseApiKeyFile(text: string, path: string): ApiKey[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ConfigError([`The API key file ${path} is not valid JSON.`]);
  }
  const problems = keyFile
    .violations(value)
    .map(({ field, message }) => `The API key file ${path} is not usable: ${field || 'the whole file'} ${message}.`);
  if (problems.length > 0) throw new ConfigError(problems);
  return (value as { keys: ApiKey[] }).keys;
}

/**
 * Reads keys given as settings, one `name:sha256:scope+scope` each.
 * @throws ConfigError naming every key that is malformed, by its position: the text may hold what must not be shown.
 */
export function parseApiKeyList(items: readonly string[]): ApiKey[] {
  const problems: string[] = [];
  const keys = items.flatMap((item, index) => {
    const match = /^([^:]{1,128}):([0-9a-fA-F]{64}):(.+)$/.exec(item);
    const given = match?.[3]?.split('+') ?? [];
    if (match?.[1] === undefined || match[2] === undefined || !given.every(isScope)) {
      problems.push(
        `API key ${index + 1} of the list must read name:sha256:scope+scope, with 64 hexadecimal digits and scopes out of ${scopes.join(', ')}.`,
      );
      return [];
    }
    return [{ name: match[1], sha256: match[2], scopes: given }];
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return keys;
}

/** The accepted keys by their hashes. */
export class ApiKeys {
  private readonly entries: readonly { readonly hash: Buffer; readonly principal: Principal; readonly expiresAtMs: number }[];

  /** @param now Wall clock in epoch milliseconds. */
  constructor(
    keys: readonly ApiKey[],
    private readonly now: () => number = Date.now,
  ) {
    this.entries = keys.map((key) => ({
      hash: Buffer.from(key.sha256, 'hex'),
      principal: { kind: 'api-key', issuer: '', subject: key.name, scopes: new Set(key.scopes) },
      expiresAtMs: key.expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(key.expiresAt),
    }));
  }

  /**
   * Returns the owner of this key; undefined for an unknown key. It compares with every entry in constant time, so the response time reveals
   * nothing.
   */
  find(presented: string): Principal | undefined {
    const hash = createHash('sha256').update(presented).digest();
    let found: Principal | undefined;
    for (const entry of this.entries) {
      if (timingSafeEqual(entry.hash, hash) && this.now() < entry.expiresAtMs) found = entry.principal;
    }
    return found;
  }
}
