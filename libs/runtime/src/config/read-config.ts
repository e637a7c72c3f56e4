import { type Violation, validatorFor } from '@millrace/contracts';
import type { Static, TObject, TSchema } from 'typebox';
import { ConfigError } from '../errors.ts';
import { isSecretName, redactText } from '../logging/redact.ts';
import { withoutKubernetesVariables } from './kubernetes-variables.ts';

/** Options of {@link readConfig}. */
export interface ReadConfigOptions<T> {
  /** Prefixes this process owns (`PURCHASE_`): a key that has one of them and is not in the schema is an error. */
  readonly prefixes: readonly string[];
  /** The environment. Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * Rules between settings; each string returned is one more problem. Called only when every single setting is valid. Default: no rules.
   */
  readonly check?: (config: T) => readonly string[];
}

/**
 * Reads the settings of a process from its environment, once, at start.
 *
 * The schema is a TypeBox object whose property names are the environment keys. Whole numbers, numbers, booleans
 * (`true`, `false`, `1`, `0`) and comma-separated lists are read from their text; an absent or empty variable takes the schema's default.
 * Variables that Kubernetes sets for the Services of a namespace are not settings, even under the name of one (`PURCHASE_PORT=tcp://…`).
 *
 * @throws ConfigError with every problem at once: what is missing, malformed, out of range, or not known.
 */
export function readConfig<S extends TObject>(schema: S, options: ReadConfigOptions<Static<S>>): Static<S> {
  const env = withoutKubernetesVariables(options.env ?? process.env);
  const properties: Record<string, TSchema> = schema.properties;
  const values: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(properties)) {
    const text = env[key]?.trim();
    const value = text === undefined || text === '' ? defaultOf(property) : valueOf(property, text);
    if (value !== undefined) values[key] = value;
  }

  const problems = validatorFor(schema)
    .violations(values)
    .map((violation) => sentenceOf(violation, properties, env));
  problems.push(...unknownKeys(Object.keys(properties), options.prefixes, env));
  const config = Object.freeze(values) as Static<S>;
  if (problems.length === 0) problems.push(...(options.check?.(config) ?? []));
  if (problems.length > 0) throw new ConfigError([...new Set(problems)]);
  return config;
}

function defaultOf(property: TSchema): unknown {
  return 'default' in property ? property.default : undefined;
}

function valueOf(property: TSchema, text: string): unknown {
  const type = 'type' in property ? property.type : undefined;
  if (type === 'integer' || type === 'number') return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
  if (type === 'boolean') return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text;
  if (type === 'array') {
    const items = 'items' in property ? (property.items as TSchema) : {};
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
      .map((item) => valueOf(items, item));
  }
  return text;
}

function sentenceOf(violation: Violation, properties: Record<string, TSchema>, env: Readonly<Record<string, string | undefined>>): string {
  const key = /^[^.[]+/.exec(violation.field)?.[0] ?? violation.field;
  const property = properties[key];
  const text = env[key]?.trim();
  if (text === undefined || text === '') return `${key} ${violation.message}${purposeOf(property)}.`;
  const given = isSecretName(key) ? '' : ` (it is "${redactText(text)}")`;
  return `${key} ${literalsOf(property) ?? kindOf(property, text) ?? violation.message}${given}.`;
}

/** Describes a text of the wrong type. */
function kindOf(property: TSchema | undefined, text: string): string | undefined {
  if (property === undefined || typeof valueOf(property, text) !== 'string' || !('type' in property)) return undefined;
  if (property.type === 'integer') return 'must be a whole number';
  if (property.type === 'number') return 'must be a number';
  return property.type === 'boolean' ? 'must be true or false' : undefined;
}

function purposeOf(property: TSchema | undefined): string {
  const description = property !== undefined && 'description' in property ? property.description : undefined;
  return typeof description === 'string' ? `: ${description.replace(/\.$/, '')}` : '';
}

/** A union of literals fails with one violation for each member; the message lists the allowed values instead. */
function literalsOf(property: TSchema | undefined): string | undefined {
  if (property === undefined || !('anyOf' in property) || !Array.isArray(property.anyOf)) return undefined;
  const literals = (property.anyOf as { const?: string | number | boolean }[]).map((member) => member.const);
  return literals.every((literal) => literal !== undefined) ? `must be one of ${literals.join(', ')}` : undefined;
}

function unknownKeys(known: readonly string[], prefixes: readonly string[], env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.keys(env)
    .filter((key) => prefixes.some((prefix) => key.startsWith(prefix)) && !known.includes(key))
    .toSorted()
    .map((key) => {
      const near = nearest(key, known);
      return `${key} is not a known setting${near === undefined ? '' : `; did you mean ${near}?`}${near === undefined ? '.' : ''}`;
    });
}

function nearest(key: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = 4;
  for (const candidate of known) {
    const distance = editDistance(key, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
