import { createHash } from 'node:crypto';
import type { JsonObject, OpenApiContent, OpenApiDocument, OpenApiOperation } from '@millrace/contracts';

const style = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #8886; }
h3 { margin-top: 2rem; font-size: 1.05rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #8883; }
code { font: .9em ui-monospace, monospace; }
`;

/** The page of an OpenAPI document. */
export interface DocsPage {
  /** HTML without scripts. It loads nothing. */
  readonly html: string;
  /** Value of the header `Content-Security-Policy`: it allows the style of the page and nothing else. */
  readonly contentSecurityPolicy: string;
}

/** Renders an OpenAPI document as one page that works without scripts and without any other file. */
export function docsPage(document: OpenApiDocument): DocsPage {
  const { info, tags } = document;
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const html = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(info.title)}</title><style>${style}</style></head>
<body>
<h1>${escaped(info.title)}</h1>
<p>${text(info.description)} Version ${escaped(info.version)}. <a href="openapi.json">openapi.json</a></p>
${tags
  .map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name));
    return `<h2>${escaped(name)}</h2>\n${own.map((one) => operationSection(one.method, one.path, one.operation)).join('\n')}`;
  })
  .join('\n')}
<h2>Schemas</h2>
${Object.entries(document.components.schemas)
  .map(([name, schema]) => schemaSection(name, schema))
  .join('\n')}
</body>
</html>
`;
  return { html, contentSecurityPolicy: `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'` };
}

function operationSection(
  method: string,
  path: string,
  { operationId, summary, description, security, parameters = [], requestBody, responses }: OpenApiOperation,
): string {
  const scopes = security.flatMap(({ bearer }) => bearer ?? []);
  const credentials =
    security.length === 0
      ? 'No credentials needed.'
      : scopes.length === 0
        ? 'Any authenticated caller.'
        : `Scope: ${scopes.map((scope) => `<code>${escaped(scope)}</code>`).join(' or ')}.`;
  return [
    `<h3 id="${escaped(operationId)}"><code>${method} ${escaped(path)}</code></h3>`,
    `<p>${text(summary)}. ${description === undefined ? '' : `${text(description)} `}${credentials}</p>`,
    parameters.length === 0
      ? ''
      : table(
          ['parameter', 'in', 'type', 'meaning'],
          parameters.map((one) => [`<code>${escaped(one.name)}</code>`, one.in, typeText(one.schema), text(one.description)]),
        ),
    requestBody === undefined ? '' : `<p>Body: ${contentText(requestBody.content)}</p>`,
    table(
      ['status', 'meaning', 'body'],
      Object.entries(responses).map(([status, answer]) => [
        status,
        text(answer.description),
        answer.content === undefined ? '' : contentText(answer.content),
      ]),
    ),
  ].join('\n');
}

function schemaSection(name: string, schema: JsonObject): string {
  const {
    description,
    properties,
    required = [],
  } = schema as { description?: string; properties?: Readonly<Record<string, JsonObject>>; required?: readonly string[] };
  const rows = Object.entries(properties ?? {}).map(([field, one]) => [
    `<code>${escaped(field)}</code>${required.includes(field) ? '' : ' (optional)'}`,
    typeText(one),
    text(typeof one['description'] === 'string' ? one['description'] : ''),
  ]);
  return `<h3 id="schema-${escaped(name)}">${escaped(name)}</h3>\n<p>${text(description ?? '')}</p>\n${rows.length === 0 ? `<p>${typeText(schema)}</p>` : table(['field', 'type', 'meaning'], rows)}`;
}

function contentText(content: OpenApiContent): string {
  return Object.entries(content)
    .map(([mediaType, { schema }]) => `<code>${escaped(mediaType)}</code>: ${typeText(schema)}`)
    .join('<br>');
}

/** Describes a schema in one line of HTML. */
function typeText(schema: JsonObject): string {
  const {
    $ref,
    type,
    enum: values,
    const: constant,
    anyOf,
    items,
  } = schema as {
    $ref?: string;
    type?: string;
    enum?: readonly unknown[];
    const?: unknown;
    anyOf?: readonly JsonObject[];
    items?: JsonObject;
  };
  if ($ref !== undefined) {
    const name = escaped($ref.slice($ref.lastIndexOf('/') + 1));
    return `<a href="#schema-${name}">${name}</a>`;
  }
  if (constant !== undefined) return `<code>${escaped(JSON.stringify(constant))}</code>`;
  if (values !== undefined) return values.map((value) => `<code>${escaped(JSON.stringify(value))}</code>`).join(' | ');
  if (anyOf !== undefined) return anyOf.map(typeText).join(' | ');
  if (items !== undefined) return `list of ${typeText(items)}${limitsText(schema)}`;
  return `${escaped(type ?? 'any')}${limitsText(schema)}`;
}

const limitNames: Readonly<Record<string, string>> = {
  minimum: 'at least',
  maximum: 'at most',
  minLength: 'characters at least',
  maxLength: 'characters at most',
  minItems: 'items at least',
  maxItems: 'items at most',
};

function limitsText(schema: JsonObject): string {
  const limits = Object.entries(limitNames).flatMap(([keyword, words]) =>
    typeof schema[keyword] === 'number' ? [`${words} ${schema[keyword]}`] : [],
  );
  return limits.length === 0 ? '' : `, ${limits.join(', ')}`;
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = columns.map((column) => `<th>${column}</th>`).join('');
  return `<table><tr>${head}</tr>\n${rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('\n')}\n</table>`;
}

/** Escapes a text of Markdown and marks its code. */
function text(markdown: string): string {
  return escaped(markdown).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

function escaped(raw: string): string {
  return raw.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
