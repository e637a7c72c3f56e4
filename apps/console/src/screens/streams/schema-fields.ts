/** One field of an event, in words. */
export interface SchemaField {
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly rules: readonly string[];
  readonly description: string;
}

interface FieldSchema {
  readonly type?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly description?: string;
}

/** The fields of the JSON Schema of a stream, in their order. */
export function schemaFields(schema: Readonly<Record<string, unknown>>): readonly SchemaField[] {
  const { properties = {}, required = [] } = schema as {
    readonly properties?: Readonly<Record<string, FieldSchema>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, field]) => ({
    name,
    type: typeOf(field),
    isRequired: required.includes(name),
    rules: rulesOf(field),
    description: field.description ?? '',
  }));
}

function isUuid({ pattern = '' }: FieldSchema): boolean {
  return pattern.includes('{8}-') && pattern.includes('{12}');
}

function typeOf(field: FieldSchema): string {
  if (isUuid(field)) return 'UUID';
  return { string: 'text', integer: 'whole number', number: 'number', boolean: 'true or false' }[field.type ?? ''] ?? field.type ?? 'any';
}

function rulesOf({ minLength, maxLength, minimum, maximum }: FieldSchema): string[] {
  return [
    ...(maxLength === undefined ? [] : [`${minLength ?? 0} to ${maxLength} characters`]),
    ...(minimum === undefined || maximum === undefined ? [] : [`${minimum} to ${maximum}`]),
  ];
}
