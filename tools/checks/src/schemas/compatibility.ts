/** A JSON object of a published document. */
export type JsonObject = Readonly<Record<string, unknown>>;

// They inform people and change nothing for programs.
const annotations: ReadonlySet<string> = new Set(['title', 'description', 'summary', 'examples', '$comment', '$schema', 'info', 'default']);

/** Keywords whose greater value allows less. */
const lowerBounds: ReadonlySet<string> = new Set(['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']);

/** Keywords whose smaller value allows less. */
const upperBounds: ReadonlySet<string> = new Set(['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']);

/**
 * Lists each incompatible change of a schema of events, one sentence each. The topic keeps events of every version, and consumers keep
 * their version. So each old event must be valid now, and each new event must be valid for an old consumer. Only a new optional field and
 * a change of an annotation are compatible.
 *
 * @param path path of the schema in the event, for the sentences
 */
export function schemaIncompatibilities(before: JsonObject, after: JsonObject, path = ''): string[] {
  const what = path === '' ? 'the event' : path;
  if (JSON.stringify(before['type']) !== JSON.stringify(after['type']))
    return [`${what}: the type changes from ${shown(before['type'])} to ${shown(after['type'])}.`];
  const keywords = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((keyword) => !annotations.has(keyword));
  return keywords.flatMap((keyword) => {
    const [old, now] = [before[keyword], after[keyword]];
    switch (keyword) {
      case 'properties':
        return propertyIncompatibilities(before, after, path);
      case 'required':
        return requiredIncompatibilities(before, after, path);
      case 'items':
        return isObject(old) && isObject(now) ? schemaIncompatibilities(old, now, `${path}[]`) : different(what, keyword, old, now);
      case 'enum':
        return enumIncompatibilities(what, old, now);
      case 'additionalProperties':
        return (old ?? true) === (now ?? true) ? [] : different(what, keyword, old, now);
      default:
        return boundIncompatibilities(what, keyword, old, now);
    }
  });
}

function propertyIncompatibilities(before: JsonObject, after: JsonObject, path: string): string[] {
  const [old, now] = [schemasIn(before), schemasIn(after)];
  const nameOfId = new Map(Object.entries(old).map(([name, schema]) => [schema['x-field-id'], name]));
  const removed = Object.keys(old).filter((name) => !(name in now));
  return [
    ...removed.map((name) => `${join(path, name)}: the field is removed.`),
    ...Object.entries(now).flatMap(([name, schema]) => {
      const earlier = old[name];
      if (earlier !== undefined) return schemaIncompatibilities(earlier, schema, join(path, name));
      const owner = schema['x-field-id'] === undefined ? undefined : nameOfId.get(schema['x-field-id']);
      return owner === undefined
        ? []
        : [`${join(path, name)}: the field id ${shown(schema['x-field-id'])} belongs to ${join(path, owner)}.`];
    }),
  ];
}

function requiredIncompatibilities(before: JsonObject, after: JsonObject, path: string): string[] {
  const [old, now] = [namesIn(before), namesIn(after)];
  const known = schemasIn(before);
  return [
    ...[...now]
      .filter((name) => !old.has(name))
      .map(
        (name) => `${join(path, name)}: ${name in known ? 'the field becomes required' : 'the new field is required'}. Old events lack it.`,
      ),
    ...[...old]
      .filter((name) => !now.has(name) && name in schemasIn(after))
      .map((name) => `${join(path, name)}: the field becomes optional. Old consumers require it.`),
  ];
}

function enumIncompatibilities(what: string, old: unknown, now: unknown): string[] {
  if (!Array.isArray(old) || !Array.isArray(now)) return different(what, 'enum', old, now);
  return [
    ...old.filter((value) => !now.includes(value)).map((value) => `${what}: the value ${shown(value)} is removed. Old events have it.`),
    ...now.filter((value) => !old.includes(value)).map((value) => `${what}: the value ${shown(value)} is new. Old consumers reject it.`),
  ];
}

function boundIncompatibilities(what: string, keyword: string, old: unknown, now: unknown): string[] {
  if (JSON.stringify(old) === JSON.stringify(now)) return [];
  if (!lowerBounds.has(keyword) && !upperBounds.has(keyword)) return different(what, keyword, old, now);
  const unbounded = lowerBounds.has(keyword) ? -Infinity : Infinity;
  const [before, after] = [Number(old ?? unbounded), Number(now ?? unbounded)];
  const narrower = lowerBounds.has(keyword) ? after > before : after < before;
  return [
    `${what}: ${keyword} changes from ${shown(old)} to ${shown(now)}. ${narrower ? 'Old events may break it.' : 'Old consumers may reject new events.'}`,
  ];
}

/** Lists each incompatible change of the AsyncAPI document of a stream, one sentence each: topic, key, headers and values. */
export function streamIncompatibilities(before: JsonObject, after: JsonObject): string[] {
  return [
    ...compareMembers(before, after, ['channels'], 'channel', (what, old, now) => [
      ...different(what, 'address', old['address'], now['address']),
      ...bindingIncompatibilities(what, old, now),
    ]),
    ...compareMembers(before, after, ['components', 'messages'], 'message', (what, old, now) => [
      ...different(what, 'name', old['name'], now['name']),
      ...different(what, 'contentType', old['contentType'], now['contentType']),
      ...[['headers'], ['payload'], ['bindings', 'kafka', 'key']].flatMap((path) =>
        schemaIncompatibilities(objectAt(old, path), objectAt(now, path)).map((one) => `${what}, ${path.at(-1)}: ${one}`),
      ),
    ]),
  ];
}

/** A topic may grow, and never shrinks. */
function bindingIncompatibilities(what: string, before: JsonObject, after: JsonObject): string[] {
  const path = ['bindings', 'kafka'];
  const [old, now] = [objectAt(before, path), objectAt(after, path)];
  const grown = Number(now['partitions']) > Number(old['partitions']) ? { ...now, partitions: old['partitions'] } : now;
  return different(what, 'bindings', old, grown);
}

type CompareMember = (what: string, old: JsonObject, now: JsonObject) => string[];

function compareMembers(before: JsonObject, after: JsonObject, path: readonly string[], kind: string, compare: CompareMember): string[] {
  const members = objectAt(after, path);
  return Object.entries(objectAt(before, path)).flatMap(([name, old]) => {
    const now = members[name];
    return isObject(now) ? compare(`${kind} ${name}`, old as JsonObject, now) : [`${kind} ${name}: it is removed.`];
  });
}

function objectAt(value: JsonObject, path: readonly string[]): JsonObject {
  return path.reduce<JsonObject>((at, name) => (isObject(at[name]) ? at[name] : {}), value);
}

function different(what: string, keyword: string, old: unknown, now: unknown): string[] {
  return JSON.stringify(old) === JSON.stringify(now) ? [] : [`${what}: ${keyword} changes from ${shown(old)} to ${shown(now)}.`];
}

function schemasIn(schema: JsonObject): Readonly<Record<string, JsonObject>> {
  return (schema['properties'] ?? {}) as Readonly<Record<string, JsonObject>>;
}

function namesIn(schema: JsonObject): ReadonlySet<string> {
  return new Set((schema['required'] ?? []) as readonly string[]);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
