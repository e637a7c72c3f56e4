import type { Violation } from '@millrace/contracts';
import { validationError } from './errors.ts';

type Query = Readonly<Record<string, string | string[] | undefined>>;

/** Reads the parameters of a query string and collects everything that is wrong with them. */
export class RequestParameters {
  readonly #query: Query;
  readonly #errors: Violation[] = [];

  /** @param names the parameters that there are; any other one is wrong */
  constructor(query: Query, names: readonly string[]) {
    this.#query = query;
    for (const name of Object.keys(query))
      if (!names.includes(name))
        this.#errors.push({ field: name, message: `is not a parameter of the list; there are ${names.join(', ')}` });
  }

  /** The value of a parameter; undefined when it is absent or wrong. */
  read<T>(field: string, parse: (text: string) => T | undefined, message: string): T | undefined {
    const text = this.#query[field];
    if (text === undefined) return undefined;
    const value = typeof text === 'string' ? parse(text) : undefined;
    if (value === undefined) this.#errors.push({ field, message });
    return value;
  }

  text(field: string, charactersMax: number): string | undefined {
    return this.read(
      field,
      (text) => (text.length > 0 && text.length <= charactersMax ? text : undefined),
      `must have 1 to ${charactersMax} characters`,
    );
  }

  /** A time in epoch milliseconds. */
  time(field: string): number | undefined {
    return this.read(field, timeOf, 'must be a time in ISO 8601 with its zone, such as 2026-11-29T12:00:00Z');
  }

  wholeNumber(field: string, minimum: number, maximum: number): number | undefined {
    return this.read(
      field,
      (text) => (/^\d{1,15}$/.test(text) && Number(text) >= minimum && Number(text) <= maximum ? Number(text) : undefined),
      `must be a whole number from ${minimum} to ${maximum}`,
    );
  }

  oneOf<T extends string>(field: string, values: readonly T[]): T | undefined {
    return this.read(field, (text) => values.find((value) => value === text), `must be one of ${values.join(', ')}`);
  }

  /** @throws QueryError `validation` that names every parameter that is wrong */
  check(): void {
    if (this.#errors.length > 0) throw validationError(this.#errors);
  }
}

function timeOf(text: string): number | undefined {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
