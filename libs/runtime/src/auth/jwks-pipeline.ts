import { classifyError, type ErrorClass, type Pipeline, type PipelineSpec } from '@millrace/resilience';
import type { JSONWebKeySet } from 'jose';
import { type CallPath, CallPaths } from '../pipelines/call-paths.ts';
import { makePipelines, type MakePipelinesDeps } from '../pipelines/make-pipelines.ts';
import type { PipelineRegistry } from '../pipelines/pipeline-registry.ts';
import type { NamedDefaults } from '../pipelines/settings/pipeline-settings.ts';
import { fetchJwks, JwksError } from './fetch-jwks.ts';

/**
 * The pipeline around fetching an issuer's keys, with the defaults of its settings. Requests with a key that is not known yet wait for it,
 * so its times are short.
 */
export const authPipelines = {
  jwks: {
    timeout: { attemptMs: 2000, totalMs: 5000 },
    retry: { attemptsMax: 2, waitMsMax: 500 },
    // While the issuer is down, keys are fetched at most every half minute: a shorter window would never fill.
    breaker: { windowMs: 120_000, minimumCalls: 3, breakDurationMs: 10_000, breakDurationMsMax: 30_000, probes: 1 },
    classify: errorClassOf,
  },
} as const satisfies NamedDefaults;

/** The spec without settings. */
export const jwksSpec: PipelineSpec = { name: 'jwks', ...authPipelines.jwks };

/** One request makes one fetch at most: the cache has a pause between two. */
const callPath: CallPath = {
  request: 'any request with a token: one fetch of the keys of its issuer',
  layers: ['jwks', { name: 'fetch', attemptsMax: 1 }],
};

/**
 * Makes and registers the pipeline, and adds its attempts to the call paths. Call it before the app makes its pipelines, which log the sum
 * at the start.
 */
export function addJwksPipeline(spec: PipelineSpec, surroundings: MakePipelinesDeps): void {
  makePipelines({ specs: { jwks: spec } }, surroundings);
  surroundings.registry.callPaths = new CallPaths([callPath]);
}

/** Fetches an issuer's keys through the pipeline. */
export async function jwksThrough(registry: PipelineRegistry, url: string): Promise<JSONWebKeySet> {
  const pipeline = registry.get(jwksSpec.name) as unknown as Pipeline<{ readonly name: 'jwks' }>;
  return await pipeline.execute(async ({ signal }) => await fetchJwks(url, signal), { idempotent: true });
}

function errorClassOf(error: unknown): ErrorClass {
  return error instanceof JwksError && error.throttled ? 'throttled' : classifyError(error);
}
