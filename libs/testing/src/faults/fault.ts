/** Faults that a {@link FaultProxy} can inject into a request. */
export type Fault =
  /** Nothing listens and every open connection is dropped, as when the process is dead. Only until cleared, and on every protocol. */
  | { readonly kind: 'refuse' }
  /**
   * Accepted, never answered. Over HTTP the request is never delivered. On a byte stream the held bytes flow again when the fault is
   * cleared, as TCP does when a network heals.
   */
  | { readonly kind: 'black-hole' }
  /** Later by `latencyMs` (milliseconds, default 0), and no faster than `bytesPerSecond` in either direction (default: no limit). */
  | { readonly kind: 'slow'; readonly latencyMs?: number; readonly bytesPerSecond?: number }
  /** The connection is reset before the request is delivered. */
  | { readonly kind: 'reset' }
  /** HTTP: answered with this status, never delivered. `code` is the error code in the body; the default suits the status. */
  | { readonly kind: 'status'; readonly status: number; readonly code?: string }
  /** HTTP and Kafka: delivered and applied; the connection is reset instead of the answer. */
  | { readonly kind: 'apply-then-drop' }
  /** HTTP: delivered and applied; answered with this status. */
  | { readonly kind: 'apply-then-status'; readonly status: number; readonly code?: string }
  /** HTTP and Kafka: delivered and applied; never answered, and the connection stays open. */
  | { readonly kind: 'swallow-answer' }
  /** Kafka: delivered and applied; the answer ends after its head, so that no client can decode it. */
  | { readonly kind: 'cut-answer' }
  /** HTTP, CopyObject only: 200 with an error in the body, as S3 answers when a copy fails after it began. Not applied unless `apply`. */
  | { readonly kind: 'copy-error'; readonly apply?: boolean }
  /** HTTP: held until the client is gone, be it dead, then delivered after `afterMs` (milliseconds, default 0). The answer goes nowhere. */
  | { readonly kind: 'late'; readonly afterMs?: number }
  /** HTTP: delivered without this header (its name in lower case), as by a store or a gateway that does not know it. */
  | { readonly kind: 'ignore-header'; readonly header: string }
  /**
   * HTTP: delivered twice, one after the other. The client gets the `answer` (default `second`, as from a network that repeated the
   * request).
   */
  | { readonly kind: 'twice'; readonly answer?: 'first' | 'second' };

/** Name of a fault. */
export type FaultKind = Fault['kind'];

/** Protocol that a proxy parses. */
export type ProxyProtocol = 'tcp' | 'http' | 'kafka';

/** Faults that each protocol can produce. */
export const faultsOf: Readonly<Record<ProxyProtocol, readonly FaultKind[]>> = {
  tcp: ['refuse', 'black-hole', 'slow', 'reset'],
  http: [
    'refuse',
    'black-hole',
    'slow',
    'reset',
    'status',
    'apply-then-drop',
    'apply-then-status',
    'swallow-answer',
    'copy-error',
    'late',
    'twice',
    'ignore-header',
  ],
  kafka: ['refuse', 'black-hole', 'slow', 'reset', 'apply-then-drop', 'swallow-answer', 'cut-answer'],
};

/** A request as a matcher sees it. On plain TCP a request is a chunk of bytes that the client wrote, and has none of these. */
export interface SeenRequest {
  /** HTTP method in upper case. */
  readonly method?: string;
  /** HTTP path, percent-encoded as it came, without the query. */
  readonly path?: string;
  /** HTTP query parameters. */
  readonly query?: URLSearchParams;
  /** HTTP headers, names in lower case. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Kafka API, such as `Produce`; `api-N` where the number has no name here. */
  readonly api?: string;
}

/** Requests that a fault affects. Every given member must match. */
export interface RequestMatcher {
  readonly method?: string | readonly string[];
  /** The whole path, or an expression that finds a part of it. */
  readonly path?: string | RegExp;
  /** Values of query parameters; `true` for any value, `false` for none. */
  readonly query?: Readonly<Record<string, string | boolean>>;
  /** Values of headers, names in lower case; `true` for any value, `false` for none. */
  readonly headers?: Readonly<Record<string, string | boolean>>;
  /** Kafka API. */
  readonly api?: string | readonly string[];
  /** Anything else. */
  readonly where?: (request: SeenRequest) => boolean;
}

/** Whether a request is one that a fault is for. */
export function fits(request: SeenRequest, { method, path, query, headers, api, where }: RequestMatcher): boolean {
  if (method !== undefined && !isOneOf(request.method, method)) return false;
  if (api !== undefined && !isOneOf(request.api, api)) return false;
  if (
    path !== undefined &&
    (request.path === undefined || !(typeof path === 'string' ? request.path === path : request.path.search(path) >= 0))
  )
    return false;
  if (!haveValues(query, (name) => request.query?.get(name) ?? undefined)) return false;
  if (!haveValues(headers, (name) => request.headers?.[name])) return false;
  return where === undefined || where(request);
}

function isOneOf(value: string | undefined, wanted: string | readonly string[]): boolean {
  return value !== undefined && (typeof wanted === 'string' ? value === wanted : wanted.includes(value));
}

function haveValues(wanted: Readonly<Record<string, string | boolean>> | undefined, value: (name: string) => unknown): boolean {
  return Object.entries(wanted ?? {}).every(([name, one]) =>
    typeof one === 'string' ? value(name) === one : (value(name) !== undefined) === one,
  );
}
