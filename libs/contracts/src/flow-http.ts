import { Type } from 'typebox';
import type { Plain } from './plain.ts';

const count = (description: string): ReturnType<typeof Type.Integer> => Type.Integer({ minimum: 0, description });
const at = (what: string): ReturnType<typeof Type.String> => Type.String({ description: `${what}, ISO 8601 in UTC` });

/** Modes of a circuit. `auto`: its calls decide. The others are set by an operator. */
export const circuitModes = ['auto', 'forced-open', 'forced-closed', 'disabled'] as const;

const circuitSchema = Type.Object(
  {
    mode: Type.Enum([...circuitModes], { description: '`auto`: the calls decide. The others are set by an operator' }),
    state: Type.Enum(['closed', 'open', 'half-open', 'ramping'], { description: 'State that the calls decided' }),
    since: at('Time of the last change of the state'),
    calls: count('Calls in the window'),
    failures: count('Failures in the window'),
    failureRatio: Type.Number({ minimum: 0, description: 'Failures by calls in the window' }),
  },
  { title: 'Circuit', description: 'The circuit breaker of a pipeline.' },
);

const flowPipelineSchema = Type.Object(
  {
    name: Type.String(),
    dependency: Type.String({ description: 'Name of the dependency that it calls' }),
    circuit: Type.Optional(circuitSchema),
    inFlight: count('Calls that run'),
    concurrencyMax: Type.Optional(count('Calls that may run at once. Absent: the pipeline has no bulkhead')),
    queued: Type.Optional(count('Calls that wait for a permit')),
    retryBudget: Type.Optional(Type.Number({ minimum: 0, description: 'Retries that are left. Absent: the pipeline does not retry' })),
    calls: count('Calls since the start'),
    failed: count('Calls without a result since the start'),
    retries: count('Retries since the start'),
    rejected: count('Calls that were not sent since the start: the circuit was open, or no permit was free'),
    shed: count('Calls that were shed since the start'),
  },
  { title: 'FlowPipeline', description: 'The state of a pipeline.' },
);

const flowSampleSchema = Type.Object(
  {
    name: Type.String({ description: 'Name of the metric' }),
    labels: Type.Record(Type.String(), Type.String()),
    value: Type.Number(),
  },
  { title: 'Sample', description: 'A sample of a metric. Values that are not finite are left out.' },
);

const flowProcessSchema = Type.Object(
  {
    name: Type.String({ description: 'Name in the setting' }),
    status: Type.Enum(['ready', 'degraded', 'unavailable', 'stopping', 'unreachable', 'refused'], {
      description: '`unreachable`: the process does not answer. `refused`: it does not accept the credential of the caller',
    }),
    dependencies: Type.Array(
      Type.Object({
        name: Type.String(),
        required: Type.Boolean(),
        status: Type.String({ description: '`up`, `degraded` or `down`' }),
        detail: Type.Optional(Type.String()),
        since: at('Time since when it has this status'),
      }),
    ),
    samples: Type.Array(flowSampleSchema),
    pipelines: Type.Array(flowPipelineSchema),
  },
  { title: 'FlowProcess', description: 'One process with its health, metrics and pipelines.' },
);

/** Schema of {@link Flow}. */
export const flowSchema = Type.Object(
  { at: at('Time of the reading'), processes: Type.Array(flowProcessSchema, { description: 'In the order of the setting' }) },
  { title: 'Flow', description: 'Health, metrics and pipelines of the processes at one time.' },
);

/** Answer to `GET /v1/flow`. */
export type Flow = Plain<typeof flowSchema>;
/** One process of {@link Flow}. */
export type FlowProcess = Flow['processes'][number];
/** One pipeline of a {@link FlowProcess}. */
export type FlowPipeline = FlowProcess['pipelines'][number];

/** Schema of {@link CircuitChange}. */
export const circuitChangeSchema = Type.Object(
  {
    mode: Type.Enum([...circuitModes], { description: 'Mode of the circuit from now on, until the process restarts' }),
    reason: Type.String({ minLength: 3, maxLength: 500, description: 'Reason for the audit log' }),
  },
  { additionalProperties: false, title: 'CircuitChange', description: 'A change of a circuit by an operator.' },
);

/** Body of `POST /v1/flow/{process}/pipelines/{pipeline}`. */
export type CircuitChange = Plain<typeof circuitChangeSchema>;

/** Schema of the answer to a {@link CircuitChange}. */
export const changedPipelineSchema = flowPipelineSchema;
