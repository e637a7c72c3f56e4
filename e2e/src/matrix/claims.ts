import assert from 'node:assert/strict';
import type { QueryView } from '@millrace/contracts';
import { waitUntil } from '@millrace/testing';
import { ask, type Answer } from '../http.ts';
import type { MatrixStack } from './matrix-stack.ts';
import type { MatrixTraffic } from './matrix-traffic.ts';
import { patienceMs } from './short-settings.ts';
import { shownIn, type WatchedService } from './watched-service.ts';

/** A circuit of a service. */
export type Circuit = readonly [service: WatchedService, pipeline: string];

const unavailable = 'urn:millrace:problem:unavailable';

/** Waits until a claim holds. */
export async function eventually(what: string, claim: () => Promise<void>): Promise<void> {
  const held = async (): Promise<true> => {
    await claim();
    return true;
  };
  await waitUntil(what, held, { timeoutMs: patienceMs, everyMs: 300 });
}

/** Every place shows the circuit open. They are polled, because the circuit may admit a probe between two reads. */
export async function showsOpen([watched, pipeline]: Circuit): Promise<void> {
  const seen = new Set<string>();
  await eventually(`the circuit ${pipeline} of ${watched.service.name} to be shown open`, async () => {
    const shown = await watched.circuit(pipeline);
    for (const place of shownIn) if (shown[place] === true) seen.add(place);
    assert.deepEqual([...seen].toSorted(), shownIn.toSorted());
  });
}

/** Every place shows it closed, at the same time. */
export async function showsClosed([watched, pipeline]: Circuit): Promise<void> {
  const closed = Object.fromEntries(shownIn.map((place) => [place, false]));
  await eventually(`the circuit ${pipeline} of ${watched.service.name} to be shown closed`, async () =>
    assert.deepEqual(await watched.circuit(pipeline), closed),
  );
}

/** The service accepts work and reports a missing dependency. */
export async function isDegraded(watched: WatchedService): Promise<void> {
  assert.partialDeepStrictEqual(await watched.ready(), { httpStatus: 200, status: 'degraded' });
}

/** The service reports that it is unavailable. */
export async function isUnready(watched: WatchedService): Promise<void> {
  assert.partialDeepStrictEqual(await watched.ready(), { httpStatus: 503, status: 'unavailable' });
}

/** The answer has `Retry-After`. */
export function isRefused({ status, body, headers }: Answer<{ readonly type?: string }>): void {
  assert.deepEqual({ status, type: body.type }, { status: 503, type: unavailable });
  assert.ok(Number(headers.get('retry-after')) > 0, 'there is no Retry-After');
}

/** A call fails without a wait, because the circuit rejects it. */
export async function failsFast([watched, pipeline]: Circuit, fails: () => Promise<unknown>): Promise<void> {
  const refusals = async (): Promise<number> => (await watched.refusals()).get(pipeline) ?? 0;
  const before = await refusals();
  await fails();
  assert.ok((await refusals()) > before, `the circuit ${pipeline} of ${watched.service.name} did not refuse it`);
}

/** Claims about the answers of a running stack. */
export class Claims {
  readonly #stack: MatrixStack;
  readonly #traffic: MatrixTraffic;

  constructor(stack: MatrixStack, traffic: MatrixTraffic) {
    this.#stack = stack;
    this.#traffic = traffic;
  }

  /** A GET of the query API is answered. */
  async reads(path: string): Promise<void> {
    assert.equal((await ask(`${this.#stack.queryApi.url}${path}`)).status, 200);
  }

  /** The list of reports is answered, without the usage data from Redis. */
  async reportsLackUsage(): Promise<void> {
    const { status, body } = await ask<{ reports: { usage: unknown }[] }>(`${this.#stack.queryApi.url}/v1/reports`);
    assert.deepEqual({ status, usages: [...new Set(body.reports.map(({ usage }) => usage))] }, { status: 200, usages: [null] });
  }

  /** A purchase is acknowledged. */
  async buys(): Promise<void> {
    assert.equal((await this.#traffic.buy()).status, 202);
  }

  /** A purchase is acknowledged and is in the table, with all earlier ones. */
  async lands(): Promise<void> {
    await this.buys();
    await this.#traffic.landed();
  }

  /** A statement succeeds. */
  async answers(engine: 'duckdb' | 'athena'): Promise<void> {
    assert.deepEqual(endOf(await this.#traffic.query(engine)), { state: 'succeeded', stale: false, error: undefined });
  }

  /** A statement fails because of the dependency. */
  async cannotAnswer(engine: 'duckdb' | 'athena'): Promise<void> {
    const { state, error } = await this.#traffic.query(engine);
    assert.deepEqual({ state, error: error?.type }, { state: 'failed', error: unavailable });
  }

  /** The report is answered with its last good result, and the answer states its age. */
  async reportIsStale(): Promise<void> {
    assert.deepEqual(endOf(await this.#traffic.report()), { state: 'succeeded', stale: true, error: undefined });
  }

  /** DuckDB runs the report again. */
  async reportIsFresh(): Promise<void> {
    assert.deepEqual(endOf(await this.#traffic.report()), { state: 'succeeded', stale: false, error: undefined });
  }
}

function endOf({ state, stale, error }: QueryView): { state: string; stale: boolean; error: string | undefined } {
  return { state, stale: stale !== undefined && stale.ageSeconds >= 0, error: error?.detail };
}
