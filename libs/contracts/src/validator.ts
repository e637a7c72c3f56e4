import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { Static, TSchema } from 'typebox';
import { textPattern, uuidPattern } from './streams/fields.ts';
import type { Violation } from './violation.ts';

/** A compiled check of a schema. */
export interface Validator<S extends TSchema> {
  readonly schema: S;
  /** True when the value fits. The fast path: it allocates nothing for a good value. */
  check(value: unknown): value is Static<S>;
  /** Everything wrong with the value, empty when it fits. */
  violations(value: unknown): Violation[];
}

/**
 * Makes the check of a schema; lengths are counted in Unicode code points, as JSON Schema says. Each form is compiled at its first use,
 * which takes milliseconds: a path where the first caller must not wait calls `check` once before.
 */
export function validatorFor<S extends TSchema>(schema: S): Validator<S> {
  let fast: ValidateFunction | undefined;
  let full: ValidateFunction | undefined;
  return {
    schema,
    check: (value): value is Static<S> => (fast ??= compile(schema, false))(value),
    violations(value) {
      full ??= compile(schema, true);
      if (full(value)) return [];
      return withoutOtherBranches(full.errors ?? []).map(violationOf);
    },
  };
}

function compile(schema: TSchema, allErrors: boolean): ValidateFunction {
  // TypeBox makes valid schemas. Their check against the meta-schema would be half of the time that a service needs to start.
  const ajv = new Ajv({ allErrors, strict: true, allowUnionTypes: true, validateFormats: false, validateSchema: false, meta: false });
  ajv.addVocabulary(['x-field-id', 'x-column-type', 'x-lower-case']);
  return ajv.compile(schema);
}

/**
 * Reports one branch of each union: a value that has the type of a branch breaks that branch's rule, not the types of the others.
 * A value of no branch's type breaks the union.
 */
function withoutOtherBranches(errors: readonly ErrorObject[]): ErrorObject[] {
  const dropped = new Set<ErrorObject>();
  for (const union of errors.filter(({ keyword }) => keyword === 'anyOf')) {
    const within = errors.filter(({ schemaPath }) => schemaPath.startsWith(`${union.schemaPath}/`));
    const branchOf = ({ schemaPath }: ErrorObject): string => schemaPath.slice(union.schemaPath.length + 1).split('/')[0]!;
    const ofOtherType = within.filter(({ keyword, instancePath }) => keyword === 'type' && instancePath === union.instancePath);
    const others = new Set(ofOtherType.map(branchOf));
    for (const error of within) if (others.has(branchOf(error))) dropped.add(error);
    if (within.some((error) => !others.has(branchOf(error)))) dropped.add(union);
    union.params['types'] = ofOtherType.map(({ params }) => String((params as { type?: unknown }).type));
  }
  return errors.filter((error) => !dropped.has(error));
}

function violationOf(error: ErrorObject): Violation {
  const at = fieldPath(error.instancePath);
  const within = (name: string): string => (at === '' ? name : `${at}.${name}`);
  const params = error.params as Record<string, unknown>;
  const limit = params['limit'] as number | undefined;
  switch (error.keyword) {
    case 'required':
      return { field: within(String(params['missingProperty'])), message: 'is required' };
    case 'additionalProperties':
      return { field: within(String(params['additionalProperty'])), message: 'is not a known field' };
    case 'anyOf':
      return { field: at, message: `must be ${oneOf(params['types'] as string[])}` };
    case 'type':
      return { field: at, message: `must be of type ${String(params['type'])}` };
    case 'minLength':
      return { field: at, message: `must be at least ${limit} ${plural('character', limit)} long`, limit: limit! };
    case 'maxLength':
      return { field: at, message: `must be at most ${limit} ${plural('character', limit)} long`, limit: limit! };
    case 'minimum':
      return { field: at, message: `must be at least ${limit}`, limit: limit! };
    case 'maximum':
      return { field: at, message: `must be at most ${limit}`, limit: limit! };
    case 'minItems':
      return { field: at, message: `must have at least ${limit} ${plural('item', limit)}`, limit: limit! };
    case 'maxItems':
      return { field: at, message: `must have at most ${limit} ${plural('item', limit)}`, limit: limit! };
    case 'pattern':
      return { field: at, message: patternMessage(String(params['pattern'])) };
    case 'enum':
      return { field: at, message: `must be one of ${(params['allowedValues'] as unknown[]).join(', ')}` };
    default:
      return { field: at, message: error.message ?? `breaks the rule ${error.keyword}` };
  }
}

function patternMessage(pattern: string): string {
  if (pattern === uuidPattern) return 'must be a UUID';
  if (pattern === textPattern) return 'must not hold NUL or an unpaired surrogate';
  return `must match ${pattern}`;
}

function fieldPath(instancePath: string): string {
  return instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`), '');
}

const typeNouns: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'a boolean',
  object: 'an object',
  array: 'an array',
  null: 'null',
};

function oneOf(types: readonly string[]): string {
  const nouns = types.map((type) => typeNouns[type] ?? type);
  return nouns.length < 2 ? nouns.join('') : `${nouns.slice(0, -1).join(', ')} or ${nouns.at(-1)!}`;
}

function plural(noun: string, count: number | undefined): string {
  return count === 1 ? noun : `${noun}s`;
}
