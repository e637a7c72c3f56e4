/** A type of Trino, with its parameters. */
export interface TypeSignature {
  readonly rawType: string;
  readonly arguments: readonly TypeArgument[];
}

/** A parameter of a type: a number, a type, or a field of a row. */
export type TypeArgument =
  | { readonly kind: 'LONG'; readonly value: number }
  | { readonly kind: 'TYPE'; readonly value: TypeSignature }
  | {
      readonly kind: 'NAMED_TYPE';
      readonly value: { readonly fieldName?: { readonly name: string }; readonly typeSignature: TypeSignature };
    };

/** A column of an answer. */
export interface TrinoColumn {
  readonly name: string;
  readonly typeSignature: TypeSignature;
}

/** A value of an answer. An integer beyond 2^53 is its digits as text. */
export type TrinoValue = string | number | boolean | null | readonly TrinoValue[] | { readonly [key: string]: TrinoValue };

/** Why a statement failed. */
export interface TrinoFailure {
  readonly message: string;
  readonly errorName: string;
  readonly errorType: 'USER_ERROR' | 'INTERNAL_ERROR' | 'INSUFFICIENT_RESOURCES' | 'EXTERNAL';
  /** Counted from 1. */
  readonly errorLocation?: { readonly lineNumber: number; readonly columnNumber: number };
}

/** One answer of Trino's statement protocol. https://trino.io/docs/current/develop/client-protocol.html */
export interface TrinoAnswer {
  readonly id: string;
  /** Where the next answer is; absent in the last one. */
  readonly nextUri?: string;
  readonly columns?: readonly TrinoColumn[];
  readonly data?: readonly (readonly TrinoValue[])[];
  readonly stats: { readonly state: string; readonly physicalInputBytes?: number };
  readonly error?: TrinoFailure;
}

/** Reads an answer. Trino writes a BIGINT as a JSON number, and JavaScript's numbers end at 2^53. */
export function readAnswer(text: string): TrinoAnswer {
  // The reader with access to the digits is several times slower, and few results have such numbers.
  if (!/\d{16}/.test(text)) return JSON.parse(text) as TrinoAnswer;
  return parseWithSource(text, (_key, value, { source }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined && /^-?\d+$/.test(source) ? source : value,
  ) as TrinoAnswer;
}

// TypeScript does not know the third argument yet. https://github.com/tc39/proposal-json-parse-with-source
const parseWithSource = JSON.parse as (
  text: string,
  reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown;
