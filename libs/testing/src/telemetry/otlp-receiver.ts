import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** Value of an attribute in the JSON encoding of OTLP. */
interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
}

interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

interface ExportRequest {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly KeyValue[] };
    readonly scopeSpans?: readonly { readonly spans?: readonly ExportedSpan[] }[];
  }[];
}

interface ExportedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly KeyValue[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly events?: readonly { readonly name: string }[];
  readonly status?: { readonly code?: number };
}

/** An exported span with plain values. */
export interface ReceivedSpan {
  /** `service.name` of its resource. */
  readonly service: unknown;
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined for the root of a trace. */
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** As OTLP counts: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly durationMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly events: readonly string[];
  /** Whether the status of the span is an error. */
  readonly isError: boolean;
}

/** A collector in this process that takes spans by OTLP over HTTP, in JSON. */
export class OtlpReceiver {
  readonly #server: Server;
  readonly #spans: ReceivedSpan[] = [];
  #requests = 0;

  private constructor(answer: 'take' | 'refuse' | 'hang') {
    this.#server = createServer((request, response) => void this.#receive(request, response, answer));
  }

  /** @param answer whether it takes spans (default), refuses them with 503, or never answers */
  static async start(answer: 'take' | 'refuse' | 'hang' = 'take'): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver(answer);
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  /** Value of `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The spans so far, in the order in which they came. */
  get spans(): readonly ReceivedSpan[] {
    return this.#spans;
  }

  /** Number of requests so far, refused ones included. */
  get requests(): number {
    return this.#requests;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #receive(request: IncomingMessage, response: ServerResponse, answer: 'take' | 'refuse' | 'hang'): Promise<void> {
    const body = await buffer(request).catch(() => undefined);
    if (body === undefined) return;
    this.#requests += 1;
    if (answer === 'hang') return;
    if (answer === 'take' && request.url === '/v1/traces') this.#spans.push(...spansOf(JSON.parse(body.toString()) as ExportRequest));
    response.writeHead(answer === 'take' ? 200 : 503, { 'content-type': 'application/json' }).end('{}');
  }
}

function spansOf({ resourceSpans = [] }: ExportRequest): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) => {
    const service = recordOf(resource?.attributes)['service.name'];
    return scopeSpans.flatMap(({ spans = [] }) => spans.map((span) => received(service, span)));
  });
}

function received(service: unknown, span: ExportedSpan): ReceivedSpan {
  const { traceId, spanId, parentSpanId, name, kind, attributes, links = [], events = [], status } = span;
  return {
    service,
    traceId,
    spanId,
    parentSpanId: parentSpanId === undefined || parentSpanId === '' ? undefined : parentSpanId,
    name,
    kind,
    durationMs: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6,
    attributes: recordOf(attributes),
    links: links.map((link) => ({ traceId: link.traceId, spanId: link.spanId })),
    events: events.map((event) => event.name),
    isError: status?.code === 2,
  };
}

function recordOf(attributes: readonly KeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));
}

function plain({ stringValue, boolValue, intValue, doubleValue, arrayValue }: AnyValue): unknown {
  if (arrayValue !== undefined) return (arrayValue.values ?? []).map(plain);
  return stringValue ?? boolValue ?? (intValue === undefined ? doubleValue : Number(intValue));
}
