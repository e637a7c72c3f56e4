import type { TSchema } from 'typebox';
import type { ProblemName } from '../problem.ts';

/** A parameter of a request outside its body. */
export interface HttpParameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly description: string;
  readonly schema: TSchema;
}

/** An answer below status 400. */
export interface HttpAnswer {
  readonly status: number;
  readonly description: string;
  /** Schema of the body by media type. Absent: the answer has no body. */
  readonly content?: Readonly<Record<string, TSchema>>;
  /** Meaning of each header of the answer, by its name. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One route of a service. */
export interface HttpOperation {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path with parameters in braces: `/v1/queries/{id}`. */
  readonly path: string;
  /** Name of the operation, unique in its service: the name of the method in generated clients. */
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** Scopes of which the caller needs one. `public`: the route needs no credentials. */
  readonly scopes: readonly string[] | 'public';
  /** Default: none. */
  readonly parameters?: readonly HttpParameter[];
  /** Schema of the JSON body. Default: the request has no body. */
  readonly body?: TSchema;
  /** Schemas of the body in other media types. Default: JSON only. */
  readonly otherBodies?: Readonly<Record<string, TSchema>>;
  readonly answers: readonly HttpAnswer[];
  /** Problems of this route. {@link commonProblems} are added to each route. */
  readonly problems: readonly ProblemName[];
}

/** The HTTP surface of a service: the source of its OpenAPI document. */
export interface HttpApi {
  readonly title: string;
  readonly description: string;
  /** Version of the contract. It changes with the document. */
  readonly version: string;
  readonly operations: readonly HttpOperation[];
}

/** Problems with which any route may answer. */
export const commonProblems: readonly ProblemName[] = [
  'validation',
  'unauthenticated',
  'forbidden',
  'request-timeout',
  'headers-too-large',
  'internal',
  'unavailable',
  'overloaded',
];
