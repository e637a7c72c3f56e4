import { createPipeline, type Pipeline } from '@millrace/resilience';
import { expect, it } from 'vitest';
import type { EngineResult, ResultRow } from '../engines/query-engine.ts';
import { QueryError, QueryStopped } from '../errors.ts';
import { queryPipelines } from '../resilience.ts';
import type { QueryJobData, StaleAnswer } from './query-record.ts';
import { keeping, ReportAnswers, type ReportAnswer, type SharedAnswers } from './report-answers.ts';

const data: QueryJobData = { sql: 'SELECT ?', parameters: ['a'], engine: 'duckdb', report: 'sales', timeoutMs: 1000, submittedAt: 0 };
const signal = new AbortController().signal;
const good: ReportAnswer = { finishedAt: 5, bytesScanned: 9, rows: 1, kept: { columns: [{ name: 'n', type: 'bigint' }], rows: [['1']] } };
const down = async (): Promise<never> => {
  throw new QueryError('unavailable', 'S3 is down');
};

function answers(
  pipeline: Pipeline = createPipeline({ ...queryPipelines.report, name: 'report' }),
  shared: SharedAnswers = { save: async () => undefined, find: async () => undefined },
): ReportAnswers {
  return new ReportAnswers(pipeline, shared);
}

function resultOf(rows: readonly ResultRow[]): EngineResult {
  return {
    columns: [],
    rows: (async function* () {
      yield rows;
    })(),
    bytesScanned: () => 3,
  };
}

it('a failed answer is replaced by the last good one of the same report, parameters and engine', async () => {
  const reports = answers();
  expect(await reports.answer(data, async () => good, signal)).toEqual({ fresh: good });
  expect(await reports.answer(data, down, signal)).toEqual({ stale: { asOf: 5, ...good.kept } });
  await expect(reports.answer({ ...data, parameters: ['b'] }, down, signal)).rejects.toMatchObject({ code: 'unavailable' });
  await expect(reports.answer({ ...data, engine: 'athena' }, down, signal)).rejects.toMatchObject({ code: 'unavailable' });
});

it('an answer that is too large is not kept, and is not offered as stale', async () => {
  const pipeline = createPipeline({ ...queryPipelines.report, name: 'report' });
  const told: string[] = [];
  pipeline.events.subscribe(({ type }) => told.push(type));
  const reports = answers(pipeline);
  await reports.answer(data, async () => ({ ...good, kept: undefined }), signal);
  await expect(reports.answer(data, down, signal)).rejects.toMatchObject({ code: 'unavailable' });
  expect(told).not.toContain('FallbackUsed');
  expect(pipeline.snapshot().totals).toMatchObject({ fallbacks: { cache: 0 }, results: { succeeded: 1, failed: 1, 'fell-back': 0 } });
});

it('an engine that cannot take more is out of reach as well', async () => {
  const reports = answers();
  await reports.answer(data, async () => good, signal);
  expect(
    await reports.answer(data, async () => await Promise.reject(new QueryError('overloaded', 'as many as may')), signal),
  ).toMatchObject({ stale: { asOf: 5 } });
});

it('a statement at fault and a query that was stopped are not replaced', async () => {
  const reports = answers();
  await reports.answer(data, async () => good, signal);
  const wrong = new QueryError('statement-invalid', 'no such column');
  await expect(reports.answer(data, async () => await Promise.reject(wrong), signal)).rejects.toBe(wrong);
  const stopped = new QueryStopped('cancelled');
  const controller = new AbortController();
  const running = reports.answer(
    data,
    async () => await new Promise<never>((_resolve, reject) => controller.signal.addEventListener('abort', () => reject(stopped))),
    controller.signal,
  );
  controller.abort(stopped);
  await expect(running).rejects.toBe(stopped);
});

async function read(rows: readonly ResultRow[]): Promise<{ seen: number; kept: ReportAnswer['kept'] }> {
  const { result, kept } = keeping(resultOf(rows));
  let seen = 0;
  for await (const batch of result.rows) seen += batch.length;
  return { seen, kept: kept() };
}

it('rows are kept up to a limit', async () => {
  expect(await read([[1], [2]])).toEqual({ seen: 2, kept: { columns: [], rows: [[1], [2]] } });
  expect(await read(Array.from({ length: 1001 }, (_, n) => [n]))).toEqual({ seen: 1001, kept: undefined });
  expect(await read([['x'.repeat(300_000)]])).toEqual({ seen: 1, kept: undefined });
});

it('a worker that has just started gives the last good answer of another worker, and the newer of both later', async () => {
  const kept = new Map<string, StaleAnswer>();
  const shared: SharedAnswers = { save: async (key, answer) => void kept.set(key, answer), find: async (key) => kept.get(key) };
  const [first, second] = [answers(undefined, shared), answers(undefined, shared)];
  await first.answer(data, async () => good, signal);
  expect(await second.answer(data, down, signal)).toEqual({ stale: { asOf: 5, ...good.kept } });
  await second.answer(data, async () => ({ ...good, finishedAt: 9 }), signal);
  expect(await first.answer(data, down, signal)).toMatchObject({ stale: { asOf: 9 } });
});

it('a report fails with its own error while the answers of other workers cannot be read', async () => {
  const reports = answers(undefined, { save: down, find: down });
  await expect(reports.answer(data, down, signal)).rejects.toMatchObject({ code: 'unavailable' });
  await reports.answer(data, async () => good, signal);
  expect(await reports.answer(data, down, signal)).toMatchObject({ stale: { asOf: 5 } });
});
