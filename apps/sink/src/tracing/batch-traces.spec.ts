import { randomUUID } from 'node:crypto';
import { purchases } from '@millrace/contracts';
import type { LaneId } from '@millrace/lake';
import type { Tracing } from '@millrace/runtime';
import { type Context, type Link, type Span, type SpanContext, type SpanOptions, trace } from '@opentelemetry/api';
import { expect, it } from 'vitest';
import type { LogRecord } from '../kafka/log.ts';
import type { BatchFiles } from '../spool/spool.ts';
import { BatchTraces, type TracedBatch } from './batch-traces.ts';

const lane: LaneId = { table: 'purchases', topic: purchases.topic.name, partition: 3 };
const entry = { files: [] };

interface Noted {
  readonly name: string;
  readonly traceId: string;
  readonly parent: SpanContext | undefined;
  readonly options: SpanOptions;
  readonly events: string[];
  readonly attributes: Record<string, unknown>;
  ended: number;
}

/** Tracing that notes its spans. */
function recording(): { readonly tracing: Tracing; readonly spans: readonly Noted[] } {
  const spans: Noted[] = [];
  const begin = (name: string, traceId: string, options: SpanOptions, parent: Context | undefined): Span => {
    const spanId = String(spans.length + 1).padStart(16, '0');
    const noted: Noted = {
      name,
      traceId,
      parent: parent === undefined ? undefined : trace.getSpanContext(parent),
      options,
      events: [],
      attributes: {},
      ended: 0,
    };
    spans.push(noted);
    return {
      spanContext: () => ({ traceId, spanId, traceFlags: 1 }),
      isRecording: () => true,
      addEvent: (event: string) => void noted.events.push(event),
      setAttribute: (key: string, value: unknown) => void Object.assign(noted.attributes, { [key]: value }),
      setAttributes: (values: object) => void Object.assign(noted.attributes, values),
      setStatus: () => undefined,
      end: () => void (noted.ended += 1),
    } as unknown as Span;
  };
  const tracing: Tracing = {
    startSpan: (name, options, parent) => begin(name, trace.getSpanContext(parent!)!.traceId, options, parent),
    startRoot: (traceId, name, options) => begin(name, traceId, options, undefined),
    contextOf: () => {
      throw new Error('unused');
    },
    close: async () => undefined,
  };
  return { tracing, spans };
}

function recordFrom(offset: number, traceparent?: string | null): LogRecord {
  const value = traceparent === undefined ? undefined : traceparent === null ? null : Buffer.from(traceparent);
  return { offset, timestamp: '0', key: null, value: null, headers: value === undefined ? [] : [{ name: 'traceparent', value }] };
}

function sentBy(n: number, flags = '01'): string {
  return `00-${'a'.repeat(32)}-${n.toString(16).padStart(16, '0')}-${flags}`;
}

function batchOf(from: number, to: number): TracedBatch {
  return { id: randomUUID(), from, to, takenAt: 1000, files: {} as BatchFiles };
}

function linksOf({ options }: Noted): (string | undefined)[] {
  return (options.links ?? []).map(({ context }: Link) => context.spanId);
}

it("the span of a batch has the batch's id as its trace, names the ledger entry, and is linked to the sampled records", async () => {
  const { tracing, spans } = recording();
  const traces = new BatchTraces(tracing, lane, 'sinks');
  const batch = batchOf(10, 15);
  const records = [sentBy(1), sentBy(1), sentBy(2, '00'), 'garbage', undefined, null].map((text, n) => recordFrom(10 + n, text));
  traces.onTaken(batch.files, records);
  expect(spans).toEqual([]);
  for (const name of ['encode', 'stage']) expect(await traces.step(batch, name, async () => await Promise.resolve(name))).toBe(name);
  traces.note(batch, 'commit');
  traces.end(batch, entry, 'mine');

  const [root, ...steps] = spans;
  const traceId = batch.id.replaceAll('-', '');
  expect(root).toMatchObject({
    name: `process ${lane.topic}`,
    traceId,
    parent: undefined,
    events: ['commit'],
    attributes: { 'millrace.batch.outcome': 'mine' },
    ended: 1,
  });
  expect(root!.options).toMatchObject({
    startTime: 1000,
    attributes: {
      'messaging.consumer.group.name': 'sinks',
      'messaging.batch.message_count': 6,
      'millrace.batch.id': batch.id,
      'millrace.ledger.key': `_ledger/purchases/${lane.topic}/p=3/9223372036854775797-10.json`,
    },
  });
  expect(linksOf(root!)).toEqual(['1'.padStart(16, '0')]);
  expect(steps.map(({ name, parent, ended }) => [name, parent?.traceId, ended])).toEqual([
    ['encode batch', traceId, 1],
    ['stage batch', traceId, 1],
  ]);
});

it('a batch is linked to at most 128 records', () => {
  const { tracing, spans } = recording();
  const traces = new BatchTraces(tracing, lane, 'sinks');
  const batch = batchOf(0, 1000);
  traces.onTaken(
    batch.files,
    Array.from({ length: 1000 }, (_, n) => recordFrom(n, sentBy(n + 1))),
  );
  traces.end(batch, entry, 'mine');
  expect(linksOf(spans[0]!)).toHaveLength(128);
});

it('a batch that fails ends its span, and its next attempt is another span in the same trace with the same links', async () => {
  const { tracing, spans } = recording();
  const traces = new BatchTraces(tracing, lane, 'sinks');
  const batch = batchOf(0, 1);
  traces.onTaken(batch.files, [recordFrom(0, sentBy(1))]);
  const failure = new Error('the life ended');
  await expect(traces.step(batch, 'stage', async () => await Promise.reject(failure))).rejects.toBe(failure);
  traces.fail(batch, failure);
  traces.end(batch, entry, 'mine');
  const roots = spans.filter(({ parent }) => parent === undefined);
  expect(roots.map(({ ended, attributes }) => [ended, attributes['error.type']])).toEqual([
    [1, 'Error'],
    [1, undefined],
  ]);
  expect(new Set(roots.map(({ traceId }) => traceId)).size).toBe(1);
  expect(roots.map(linksOf)).toEqual([['1'.padStart(16, '0')], ['1'.padStart(16, '0')]]);
});
