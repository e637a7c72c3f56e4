import type { CircuitChange, Flow, FlowPipeline, FlowProcess, Problem } from '@millrace/contracts';
import type { Pipeline } from '@millrace/resilience';
import { ProblemError, type DependencyHealth, type Readiness } from '@millrace/runtime';
import { QueryError } from '../errors.ts';
import { flowPipeline, type ListedPipelines } from './flow-pipeline.ts';
import { flowSamples } from './metric-samples.ts';
import type { ProcessAddress } from './process-address.ts';

/** Largest answer of a process that is read, in characters. */
const answerCharactersMax = 4 * 1024 * 1024;

/** The caller's credential, and the signal that aborts when the caller disconnects. */
export interface FlowCall {
  /** The header `Authorization` of the request: the process checks it and its scopes itself. */
  readonly authorization: string | undefined;
  readonly signal: AbortSignal;
  readonly deadline?: number | undefined;
}

/** Parts of a {@link FlowReader}. */
export interface FlowReaderParts {
  readonly processes: readonly ProcessAddress[];
  /** The pipeline around each request to a process. */
  readonly pipeline: Pipeline;
  readonly now: () => number;
  readonly fetch: typeof fetch;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Reads and changes the processes of Millrace through their own routes, with the credential of the caller. */
export class FlowReader {
  readonly #parts: FlowReaderParts;

  constructor(parts: FlowReaderParts) {
    this.#parts = parts;
  }

  /** Reads every process. A process that does not answer is `unreachable`. It delays the answer by its timeout at most. */
  async read(call: FlowCall): Promise<Flow> {
    const { processes, now } = this.#parts;
    const read = await Promise.all(processes.map(async (process) => await this.#readProcess(process, call)));
    return { at: new Date(now()).toISOString(), processes: read };
  }

  /**
   * Sets the mode of a circuit of a process.
   *
   * @throws QueryError `not-found` for a process that is not configured; `unavailable` when it does not answer
   */
  async changeCircuit(process: string, pipeline: string, { mode }: CircuitChange, call: FlowCall): Promise<FlowPipeline> {
    const path = `/admin/pipelines/${encodeURIComponent(pipeline)}`;
    const answer = await this.#send(this.#find(process), path, call, { method: 'PATCH', body: JSON.stringify({ mode }) });
    return flowPipeline((JSON.parse(successOf(answer, process)) as ListedPipelines['pipelines'][number]).snapshot);
  }

  /**
   * Asks a service for the answer of one of its routes.
   *
   * @throws QueryError `not-found` when no process of the service is configured, or the service says so
   */
  async relay(service: string, path: string, call: FlowCall): Promise<string> {
    return successOf(await this.#send(this.#find(service), path, call), service);
  }

  #find(name: string): ProcessAddress {
    const found = this.#parts.processes.find((process) => process.name === name);
    if (found !== undefined) return found;
    throw new QueryError('not-found', `There is no process ${name} here. The setting QUERY_FLOW_PROCESSES lists the processes.`);
  }

  async #readProcess(process: ProcessAddress, call: FlowCall): Promise<FlowProcess> {
    const nothing = { name: process.name, dependencies: [], samples: [], pipelines: [] };
    try {
      const [health, metrics, pipelines] = await Promise.all(
        ['/health/ready', '/metrics', '/admin/pipelines'].map(async (path) => await this.#send(process, path, call)),
      );
      if (metrics!.status !== 200 || pipelines!.status !== 200) return { ...nothing, status: 'refused' };
      const { status, dependencies } = JSON.parse(health!.text) as Readiness;
      return {
        name: process.name,
        status,
        dependencies: dependencies.map(shownDependency),
        samples: flowSamples(metrics!.text),
        pipelines: (JSON.parse(pipelines!.text) as ListedPipelines).pipelines.map(({ snapshot }) => flowPipeline(snapshot)),
      };
    } catch (error) {
      if (call.signal.aborted) throw error;
      return { ...nothing, status: 'unreachable' };
    }
  }

  async #send(
    { name, url }: ProcessAddress,
    path: string,
    { authorization, signal, deadline }: FlowCall,
    request: Pick<RequestInit, 'method' | 'body'> = {},
  ): Promise<Answer> {
    const headers = {
      ...(authorization === undefined ? {} : { authorization }),
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    try {
      // The pipeline has no fallback: its only value is that of the work.
      return (await this.#parts.pipeline.execute(
        async (attempt): Promise<Answer> => {
          const response = await this.#parts.fetch(url + path, { ...request, headers, redirect: 'error', signal: attempt.signal });
          return { status: response.status, text: (await response.text()).slice(0, answerCharactersMax) };
        },
        { signal, idempotent: true, ...(deadline === undefined ? {} : { deadline }) },
      )) as Answer;
    } catch (error) {
      if (signal.aborted) throw error;
      throw new QueryError('unavailable', `The process ${name} does not answer.`, { retryAfterSeconds: 1, cause: error });
    }
  }
}

function shownDependency({ name, required, status, detail, since }: DependencyHealth): FlowProcess['dependencies'][number] {
  return { name, required, status, ...(detail === undefined ? {} : { detail }), since };
}

/** The body of a success. The refusal of a process becomes that of this service. */
function successOf({ status, text }: Answer, process: string): string {
  if (status < 400) return text;
  const { detail, title = 'no reason given' } = problemIn(text);
  const said = `The process ${process} answered ${status}: ${detail ?? title}`;
  if (status === 401 || status === 403) throw new ProblemError('forbidden', { detail: said });
  if (status === 404) throw new QueryError('not-found', detail ?? said);
  if (status === 400) throw new QueryError('validation', said);
  throw new QueryError('unavailable', said, { retryAfterSeconds: 1 });
}

function problemIn(text: string): Partial<Problem> {
  try {
    return JSON.parse(text) as Partial<Problem>;
  } catch {
    return {};
  }
}
