/**
 * A fault of the local Athena.
 *
 * - `throttle`: the call is refused with a ThrottlingException.
 * - `lose-answer`: the call is carried out, and the connection closes without an answer.
 * - `requeue`: a running query is reported as QUEUED again.
 * - `slow-down`: a query is reported as FAILED because S3 throttled Athena, although it continues.
 * - `short-pages`: pages of a result hold fewer rows than asked for; the first holds none.
 */
export type AthenaFaultKind = 'throttle' | 'lose-answer' | 'requeue' | 'slow-down' | 'short-pages';

/** When a fault strikes. */
export interface AthenaFaultOptions {
  /** Operation that it strikes, for example `StartQueryExecution`. Default: each one that the kind concerns. */
  readonly operation?: string;
  /** Number of calls that it strikes. Default: 1. */
  readonly times?: number;
}

/** A fault that was injected. */
export interface InjectedAthenaFault {
  readonly kind: AthenaFaultKind;
  /** Calls that it has struck. */
  hits: number;
}

const operationsOf: Readonly<Record<AthenaFaultKind, readonly string[] | undefined>> = {
  throttle: undefined,
  'lose-answer': undefined,
  requeue: ['GetQueryExecution'],
  'slow-down': ['GetQueryExecution'],
  'short-pages': ['GetQueryResults'],
};

/** The injected faults of a local Athena that still have calls to strike. */
export class AthenaFaults {
  readonly #waiting: { readonly fault: InjectedAthenaFault; readonly operation: string | undefined; left: number }[] = [];

  inject(kind: AthenaFaultKind, { operation, times = 1 }: AthenaFaultOptions = {}): InjectedAthenaFault {
    const fault: InjectedAthenaFault = { kind, hits: 0 };
    this.#waiting.push({ fault, operation, left: times });
    return fault;
  }

  /** Whether a fault of this kind strikes this call. */
  strikes(kind: AthenaFaultKind, operation: string): boolean {
    const one = this.#waiting.find(
      ({ fault, operation: only = operation, left }) =>
        fault.kind === kind && left > 0 && only === operation && (operationsOf[kind] ?? [operation]).includes(operation),
    );
    if (one === undefined) return false;
    one.left -= 1;
    one.fault.hits += 1;
    return true;
  }

  clear(): void {
    this.#waiting.length = 0;
  }
}
