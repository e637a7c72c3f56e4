import { Ajv2020 } from 'ajv/dist/2020.js';
import type { OpenApiDocument } from '../documents/open-api.ts';
import type { JsonObject } from '../documents/schema-components.ts';

/** An answer of a service. */
export interface GivenAnswer {
  readonly method: string;
  /** Path of the request, without its query string. */
  readonly path: string;
  readonly status: number;
  /** Header `Content-Type`. Null for an answer without a body. */
  readonly contentType: string | null;
  readonly body: string;
}

/** Compares a service with its OpenAPI document. */
export class DocumentCheck {
  readonly #document: OpenApiDocument;
  readonly #ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false });

  constructor(document: OpenApiDocument) {
    this.#document = document;
  }

  /** Reads the document of a running service. */
  static async of(url: string): Promise<DocumentCheck> {
    return new DocumentCheck((await (await fetch(`${url}/openapi.json`)).json()) as OpenApiDocument);
  }

  /** Lists each route that only the service has or only the document describes, one sentence each. The router adds HEAD to each GET. */
  routeFaults(routes: readonly { readonly method: string; readonly path: string }[]): string[] {
    const real = new Set(
      routes
        .filter(({ method }) => method !== 'HEAD' && method !== 'OPTIONS')
        .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`),
    );
    const described = new Set(
      Object.entries(this.#document.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      ),
    );
    return [
      ...[...real].filter((route) => !described.has(route)).map((route) => `The document does not describe ${route}.`),
      ...[...described].filter((route) => !real.has(route)).map((route) => `The service does not have ${route}.`),
    ];
  }

  /** Lists each difference between an answer and the document, one sentence each. A field that the document does not describe is one. */
  answerFaults({ method, path, status, contentType, body }: GivenAnswer): string[] {
    const what = `${method} ${path} ${status}`;
    const response = this.#operation(method, path)?.responses[String(status)];
    if (response === undefined) return [`The document does not describe ${what}.`];
    if (contentType === null || (body === '' && status === 304))
      return response.content === undefined ? [] : [`${what} has no body; the document describes one.`];
    const mediaType = contentType.split(';')[0]!.trim();
    const schema = response.content?.[mediaType]?.schema;
    if (schema === undefined) return [`The document does not describe ${mediaType} of ${what}.`];
    const value: unknown = /[/+]json$|\/x-amz-json-/.test(mediaType) ? JSON.parse(body) : body;
    const validate = this.#ajv.compile({ components: closed(this.#document.components), allOf: [closed(schema)] });
    return validate(value)
      ? []
      : validate.errors!.map(({ instancePath, message, params }) => `${what}: ${instancePath} ${message} ${JSON.stringify(params)}.`);
  }

  #operation(method: string, path: string): OpenApiDocument['paths'][string][string] | undefined {
    const parts = path.split('/');
    const template = Object.keys(this.#document.paths).find((one) => {
      const own = one.split('/');
      return (
        own.length === parts.length && own.every((part, index) => part === parts[index] || (part.startsWith('{') && parts[index] !== ''))
      );
    });
    return template === undefined ? undefined : this.#document.paths[template]![method.toLowerCase()];
  }
}

// A client may ignore unknown fields, so the document leaves objects open. Here an undescribed field is a fault of the document.
function closed(value: unknown): JsonObject {
  return close(value) as JsonObject;
}

function close(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(close);
  if (typeof value !== 'object' || value === null) return value;
  const object = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, close(one)]));
  return object['type'] === 'object' && 'properties' in object && !('additionalProperties' in object)
    ? { ...object, additionalProperties: false }
    : object;
}
