import type { TSchema } from 'typebox';

/** A JSON object of a generated document. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Collects the schemas that have a title, so that a document defines each of them once. */
export class SchemaComponents {
  readonly #prefix: string;
  readonly #schemas = new Map<string, JsonObject>();

  /** @param prefix JSON pointer of the schemas in the document, with its last slash */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The collected schemas by title, in alphabetical order. */
  get schemas(): Readonly<Record<string, JsonObject>> {
    return Object.fromEntries([...this.#schemas].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /**
   * Returns a schema for use inside the document: a reference if the schema has a title, otherwise the schema itself.
   *
   * @throws Error when another schema has the same title
   */
  reference(schema: TSchema): JsonObject {
    return this.#reference(JSON.parse(JSON.stringify(schema)) as JsonObject);
  }

  #reference(schema: JsonObject): JsonObject {
    // The document gives the address of the schema. An `$id` would change the base of references inside it.
    const { $id: _id, ...own } = schema;
    const resolved = Object.fromEntries(Object.entries(own).map(([keyword, value]) => [keyword, this.#nested(keyword, value)]));
    const { title } = own;
    if (typeof title !== 'string') return resolved;
    const known = this.#schemas.get(title);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(resolved)) throw new Error(`Two schemas have the title ${title}.`);
    this.#schemas.set(title, resolved);
    return { $ref: `${this.#prefix}${title}` };
  }

  #nested(keyword: string, value: unknown): unknown {
    if (Array.isArray(value)) return schemaLists.has(keyword) ? value.map((one) => this.#reference(one as JsonObject)) : value;
    if (typeof value !== 'object' || value === null) return value;
    if (schemaMaps.has(keyword))
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.#reference(one as JsonObject)]));
    return schemaKeywords.has(keyword) ? this.#reference(value as JsonObject) : value;
  }
}

// Keywords of JSON Schema whose value is a schema, a list of schemas or an object of schemas.
const schemaKeywords: ReadonlySet<string> = new Set(['items', 'additionalProperties', 'not', 'contains', 'propertyNames']);
const schemaLists: ReadonlySet<string> = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems']);
const schemaMaps: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs']);
