import type { TObject } from 'typebox';

interface Property {
  readonly type?: string;
  readonly description?: string;
  readonly default?: string | number | boolean | readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly anyOf?: readonly { readonly const?: unknown }[];
  readonly items?: Property;
}

/** The settings of a schema as a Markdown table. */
export function settingsTable(schema: TObject): string {
  const rows = Object.entries(schema.properties as Readonly<Record<string, Property>>).map(([name, property]) => {
    if (property.description === undefined) throw new Error(`${name} has no description`);
    return `| \`${name}\` | ${property.description.replace(/\.$/, '').replaceAll('|', '\\|')} | ${rangeOf(property)} | ${defaultOf(property)} |`;
  });
  return ['| setting | meaning | values | default |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** A Markdown text in which each table between `<!-- settings NAME -->` and `<!-- /settings -->` is made anew. */
export function withSettingsTables(markdown: string, schemas: Readonly<Record<string, TObject>>): string {
  const left = new Set(Object.keys(schemas));
  const text = markdown.replaceAll(
    /(<!-- settings (\S+) -->\n)[^]*?(<!-- \/settings -->)/g,
    (_whole, begin: string, name: string, end: string) => {
      const schema = schemas[name];
      if (schema === undefined || !left.delete(name)) throw new Error(`There is no schema "${name}", or it is shown twice.`);
      return `${begin}${settingsTable(schema)}\n${end}`;
    },
  );
  if (left.size > 0) throw new Error(`The text has no table for ${[...left].join(', ')}.`);
  return text;
}

function rangeOf({ type, minimum, maximum, minLength, maxLength, minItems, maxItems, pattern, anyOf, items }: Property): string {
  if (anyOf !== undefined) return anyOf.map(({ const: value }) => `\`${String(value)}\``).join(', ');
  switch (type) {
    case 'integer':
    case 'number':
      return `${type === 'integer' ? 'whole number' : 'number'}${between(minimum, maximum)}`;
    case 'boolean':
      return '`true`, `false`';
    case 'array':
      return `list, separated by commas${items === undefined ? '' : `, of ${rangeOf(items)}`}${minItems === undefined && maxItems === undefined ? '' : `; ${between(minItems, maxItems).trim()} of them`}`;
    default:
      return `text${minLength === undefined && maxLength === undefined ? '' : `${between(minLength, maxLength)} characters`}${pattern === undefined ? '' : ` matching \`${pattern.replaceAll('|', '\\|')}\``}`;
  }
}

function between(least: number | undefined, most: number | undefined): string {
  if (least === undefined) return most === undefined ? '' : ` up to ${grouped(most)}`;
  return most === undefined ? ` from ${grouped(least)}` : ` ${grouped(least)}–${grouped(most)}`;
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

function defaultOf({ default: value }: Property): string {
  if (value === undefined) return '–';
  return `\`${String(value)}\``;
}
