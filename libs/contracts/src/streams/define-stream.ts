import { Type, type TProperties } from 'typebox';
import { identityField, type BufferingHints, type FileCodec, type Stream } from './stream.ts';
import { columnsOf, hiddenColumns } from './table.ts';

/** The declaration of a stream. Everything else follows from it: routes, topic, lanes, table, queries and documents. */
export interface StreamDeclaration<Fields extends TProperties> {
  /** Plural, in lower-case words with hyphens: `book-views`. */
  readonly name: string;
  /** Singular, in Pascal case: `BookView`. */
  readonly title: string;
  /** One sentence about one event. */
  readonly description: string;
  /**
   * The fields of an event, in the order of the wire format. Each has an `x-field-id`; the functions of `fields.ts` declare the usual
   * types. The field `eventId` is required.
   */
  readonly fields: Fields;
  /** CloudEvents type of an event, with the version of its schema. */
  readonly eventType: string;
  /** `partitions` is their number at the creation of the topic. */
  readonly topic: { readonly name: string; readonly partitions: number };
  /** Field whose value is the key: a required string. Events of one key keep their order. */
  readonly keyField: keyof Fields & string;
  /**
   * Name of the Firehose delivery stream under which producers with an AWS SDK put events: 1–64 letters, digits, dots, hyphens and
   * underscores. Default: they cannot.
   */
  readonly deliveryStream?: string;
  /** Glue database of the table. */
  readonly database: string;
  /** Name of the table, in lower-case words with underscores. */
  readonly table: string;
  /** Field whose UTC date is the table's partition: required, in epoch seconds. */
  readonly timeField: keyof Fields & string;
  /** Fields by which the rows of a file are sorted, the most repetitive one first. */
  readonly sortFields: readonly (keyof Fields & string)[];
  /** Version of the contract, `<topic>/<revision>`. Raise the revision with each compatible change. */
  readonly contract: string;
  /** Default: a batch is sealed at 64 MiB of raw lines or after 60 s. */
  readonly buffering?: Partial<BufferingHints>;
  /** Compression of the table's files. Default `zstd`, which makes the smallest files. */
  readonly fileCodec?: FileCodec;
}

/** Largest record batch of a topic in bytes, keys and headers included. */
const maxMessageBytes = 1024 * 1024;

const partitionKey = 'dt';

/**
 * Makes a stream out of its declaration.
 *
 * @throws TypeError naming everything that is wrong with the declaration
 */
export function defineStream<const Fields extends TProperties>(declaration: StreamDeclaration<Fields>): Stream<Fields> {
  const problems = problemsOf(declaration);
  if (problems.length > 0) throw new TypeError(`Invalid stream "${declaration.name}": ${problems.join('; ')}.`);
  const {
    name,
    title,
    description,
    fields,
    eventType,
    topic,
    keyField,
    database,
    table,
    timeField,
    sortFields,
    contract,
    buffering,
    deliveryStream,
    fileCodec = 'zstd',
  } = declaration;
  const words = wordsOf(title);
  const idOf = (kind: 'event' | 'request'): string => `urn:millrace:schema:${words.join('-')}-${kind}:v1`;
  const eventSchema = Type.Object(fields, { $id: idOf('event'), title: `${title}Event`, description });
  const columns = columnsOf(eventSchema);
  return {
    name,
    title,
    noun: words.join(' '),
    topic: {
      ...topic,
      config: {
        // The topic is the source of truth: everything else is rebuilt from it.
        'retention.ms': '-1',
        'retention.bytes': '-1',
        'cleanup.policy': 'delete',
        'max.message.bytes': String(maxMessageBytes),
        // The broker stamps the records with its clock. By default the producer does, and Kafka refuses records that are an hour ahead.
        'message.timestamp.type': 'LogAppendTime',
      },
      maxMessageBytes,
    },
    keyField,
    eventSchema,
    requestSchema: Type.Object(
      { ...fields, [identityField]: Type.Optional(fields[identityField]!) },
      { $id: idOf('request'), title: `${title}Request`, additionalProperties: false },
    ),
    eventType,
    eventSource: '/millrace/purchase',
    ...(deliveryStream === undefined ? {} : { deliveryStream }),
    database,
    table,
    columns,
    partitionKey,
    timeField,
    sortColumns: sortFields.map((field) => columns.find((column) => column.field === field)!.name),
    contract,
    buffering: { flushBytes: 64 * 1024 * 1024, flushSeconds: 60, ...buffering },
    fileCodec,
  };
}

/**
 * Returns the streams of a process.
 *
 * @throws TypeError when two of them share a name, a topic, a table, a title or a delivery stream
 */
export function listStreams(streams: readonly Stream[]): readonly Stream[] {
  const unique: Readonly<Record<string, (stream: Stream) => string | undefined>> = {
    name: ({ name }) => name,
    title: ({ title }) => title,
    topic: ({ topic }) => topic.name,
    table: ({ table }) => table,
    'event type': ({ eventType }) => eventType,
    'delivery stream': ({ deliveryStream }) => deliveryStream,
  };
  for (const [what, valueOf] of Object.entries(unique)) {
    const values = streams.map(valueOf);
    const repeated = values.find((value, index) => value !== undefined && values.indexOf(value) !== index);
    if (repeated !== undefined) throw new TypeError(`Two streams have the ${what} "${repeated}": give each stream its own.`);
  }
  return streams;
}

function problemsOf<Fields extends TProperties>(declaration: StreamDeclaration<Fields>): string[] {
  const { name, title, fields, eventType, topic, keyField, database, table, timeField, sortFields, contract, deliveryStream } = declaration;
  return [
    ...textProblems('name', name, /^(?=.{1,64}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'lower-case words with hyphens, of at most 64 characters'),
    // `/v1/streams` lists the streams.
    ...(name === 'streams' ? ['the name "streams" is taken by the list of the streams'] : []),
    ...textProblems('title', title, /^[A-Z][A-Za-z0-9]{0,63}$/, 'in Pascal case, of at most 64 characters'),
    ...(pascalCase(name) === title ? [`the title "${title}" must be the singular of the name "${name}"`] : []),
    ...textProblems('event type', eventType, /^[A-Za-z0-9._-]{1,255}$/, 'letters, digits, dots, hyphens and underscores'),
    ...textProblems(
      'topic',
      topic.name,
      /^[A-Za-z0-9._-]{1,249}$/,
      'a name that Kafka accepts: letters, digits, dots, hyphens and underscores',
    ),
    ...(Number.isInteger(topic.partitions) && topic.partitions >= 1 && topic.partitions <= 1000
      ? []
      : [`the topic has ${topic.partitions} partitions and must have 1 to 1,000`]),
    ...textProblems('database', database, /^[a-z][a-z0-9_]{0,254}$/, 'lower-case letters, digits and underscores'),
    ...textProblems('table', table, /^[a-z][a-z0-9_]{0,127}$/, 'lower-case letters, digits and underscores'),
    ...(deliveryStream === undefined
      ? []
      : textProblems('delivery stream', deliveryStream, /^[A-Za-z0-9._-]{1,64}$/, 'letters, digits, dots, hyphens and underscores')),
    ...(contract.startsWith(`${topic.name}/`) ? [] : [`the contract "${contract}" must begin with "${topic.name}/"`]),
    ...fieldProblems(fields),
    ...identityProblems(fields),
    ...requiredField(fields, 'keyField', keyField, 'string'),
    ...requiredField(fields, 'timeField', timeField, 'integer'),
    ...(sortFields.length === 0 ? ['sortFields is empty: name at least one field'] : []),
    ...sortFields.filter((field) => !(field in fields)).map((field) => `sortFields names "${field}", which is not a field`),
  ];
}

function textProblems(what: string, value: string, pattern: RegExp, rule: string): string[] {
  return pattern.test(value) ? [] : [`the ${what} "${value}" must be ${rule}`];
}

/** Annotations of a field that the check of the declaration reads. */
interface Annotations {
  readonly type?: string;
  readonly 'x-field-id'?: unknown;
  readonly 'x-column-type'?: string;
  readonly 'x-lower-case'?: boolean;
}

function fieldProblems(fields: TProperties): string[] {
  const problems: string[] = [];
  const fieldOfId = new Map<unknown, string>(hiddenColumns.map(({ name, fieldId }) => [fieldId, name]));
  const columns = new Map<string, string>([
    [partitionKey, 'the partition key'],
    ...hiddenColumns.map(({ name }) => [name, 'a hidden column'] as const),
  ]);
  for (const [field, schema] of Object.entries(fields)) {
    const { 'x-field-id': id, 'x-lower-case': lowerCase, type } = schema as Annotations;
    if (!/^[a-z][A-Za-z0-9]*$/.test(field)) problems.push(`the field "${field}" must be in camel case`);
    if (!Number.isInteger(id) || (id as number) < 1) problems.push(`the field "${field}" needs an x-field-id, a whole number from 1`);
    else if (fieldOfId.has(id)) problems.push(`the fields "${fieldOfId.get(id)!}" and "${field}" share the x-field-id ${String(id)}`);
    fieldOfId.set(id, field);
    if (lowerCase === true && type !== 'string') problems.push(`the field "${field}" has x-lower-case and must be a string`);
  }
  if (problems.length > 0) return problems;
  try {
    for (const { name, field } of columnsOf(Type.Object(fields))) {
      const owner = columns.get(name);
      if (owner !== undefined) problems.push(`the field "${field}" has the column "${name}", which belongs to ${owner}`);
      columns.set(name, `the field "${field}"`);
    }
  } catch (error) {
    problems.push((error as Error).message);
  }
  return problems;
}

function identityProblems(fields: TProperties): string[] {
  const schema: Annotations | undefined = fields[identityField];
  if (schema === undefined) return [`the field "${identityField}" is missing: it identifies an event`];
  return schema.type === 'string' && schema['x-lower-case'] === true && isRequired(fields, identityField)
    ? []
    : [`the field "${identityField}" must be a required UUID`];
}

function requiredField(fields: TProperties, what: string, field: string, type: 'string' | 'integer'): string[] {
  const schema: Annotations | undefined = fields[field];
  if (schema === undefined) return [`${what} names "${field}", which is not a field`];
  if (schema.type !== type || !isRequired(fields, field)) return [`${what} names "${field}", which must be a required ${type}`];
  return what === 'timeField' && schema['x-column-type'] !== 'timestamp'
    ? [`timeField names "${field}", which must have the x-column-type timestamp`]
    : [];
}

function isRequired(fields: TProperties, field: string): boolean {
  return Type.Object(fields).required?.includes(field) ?? false;
}

function wordsOf(pascal: string): string[] {
  return pascal.split(/(?=[A-Z])/).map((word) => word.toLowerCase());
}

function pascalCase(name: string): string {
  return name
    .split('-')
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join('');
}
