import type { TSchema } from 'typebox';
import { problemMediaType, problemSchema, problemTypes, type ProblemName } from '../problem.ts';
import { commonProblems, type HttpApi, type HttpAnswer, type HttpOperation } from './http-api.ts';
import { SchemaComponents, type JsonObject } from './schema-components.ts';

/** An OpenAPI 3.1 document. */
export interface OpenApiDocument {
  readonly openapi: '3.1.1';
  readonly info: { readonly title: string; readonly description: string; readonly version: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  /** Operations by path and lower-case method. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonObject>>; readonly securitySchemes: JsonObject };
}

/** An operation of an OpenAPI document. */
export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly OpenApiParameter[];
  readonly requestBody?: { readonly required: true; readonly content: OpenApiContent };
  /** Answers by status. */
  readonly responses: Readonly<Record<string, OpenApiResponse>>;
}

/** A parameter of an OpenAPI document. */
export interface OpenApiParameter {
  readonly in: string;
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly schema: JsonObject;
}

/** An answer of an OpenAPI document. */
export interface OpenApiResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly description: string; readonly schema: JsonObject }>>;
  readonly content?: OpenApiContent;
}

/** Schemas of a body by media type. */
export type OpenApiContent = Readonly<Record<string, { readonly schema: JsonObject }>>;

/** Derives the OpenAPI document of a service. A schema with a title becomes a component. */
export function openApiOf({ title, description, version, operations }: HttpApi): OpenApiDocument {
  const components = new SchemaComponents('#/components/schemas/');
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const operation of operations) {
    const methods = (paths[operation.path] ??= {});
    methods[operation.method.toLowerCase()] = describeOperation(operation, components);
  }
  return {
    openapi: '3.1.1',
    info: { title, description, version },
    servers: [{ url: '/' }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: components.schemas,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'A JWT of the configured issuer, or an API key' } },
    },
  };
}

function describeOperation(
  { id, tag, summary, description, scopes, parameters, body, otherBodies = {}, answers, problems }: HttpOperation,
  components: SchemaComponents,
): OpenApiOperation {
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: scopes === 'public' ? [] : scopes.length === 0 ? [{ bearer: [] }] : scopes.map((scope) => ({ bearer: [scope] })),
    ...(parameters === undefined
      ? {}
      : {
          parameters: parameters.map(({ in: place, name, description: text, schema }) => ({
            in: place,
            name,
            description: text,
            required: place === 'path',
            schema: components.reference(schema),
          })),
        }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: contentOf({ 'application/json': body, ...otherBodies }, components) } }),
    responses: describeResponses(answers, [...problems, ...commonProblems], components),
  };
}

function contentOf(schemas: Readonly<Record<string, TSchema>>, components: SchemaComponents): OpenApiContent {
  return Object.fromEntries(Object.entries(schemas).map(([mediaType, schema]) => [mediaType, { schema: components.reference(schema) }]));
}

function describeResponses(
  answers: readonly HttpAnswer[],
  problems: readonly ProblemName[],
  components: SchemaComponents,
): Record<string, OpenApiResponse> {
  const responses: Record<string, OpenApiResponse> = {};
  for (const { status, description, content, headers } of answers) {
    responses[String(status)] = {
      description,
      ...(headers === undefined
        ? {}
        : {
            headers: Object.fromEntries(
              Object.entries(headers).map(([name, text]) => [name, { description: text, schema: { type: 'string' } }]),
            ),
          }),
      ...(content === undefined ? {} : { content: contentOf(content, components) }),
    };
  }
  for (const status of [...new Set(problems.map((name) => problemTypes[name].status))].toSorted((a, b) => a - b)) {
    const names = [...new Set(problems)].filter((name) => problemTypes[name].status === status);
    const text = names.map((name) => `\`${name}\`: ${problemTypes[name].title}`).join('; ');
    const answer = responses[String(status)];
    // One status can have two kinds of answer: `/health/ready` answers 503 with a readiness document, or with a problem while it is
    // overloaded.
    responses[String(status)] = {
      ...answer,
      description: answer === undefined ? text : `${answer.description}; or a problem. ${text}`,
      content: { ...answer?.content, [problemMediaType]: { schema: components.reference(problemSchema) } },
    };
  }
  return responses;
}
