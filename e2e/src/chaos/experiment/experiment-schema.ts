import { Type, type Static } from 'typebox';
import { streamNames } from '../../load/generator/load-phase.ts';
import { measures, type Measure } from '../../load/measure/threshold.ts';

/** Services of a group, in the order in which they start. `query` is the query API with its worker. */
export const groupServices = ['purchase', 'sink', 'query'] as const;

/** Dependencies behind a proxy of the experimental group. */
export const proxiedParts = ['kafka', 'redis', 's3', 'glue'] as const;

/** Names of the attacks. */
export const attackNames = [
  'black-hole',
  'latency',
  'stall',
  'refuse',
  'reset',
  'error-status',
  'dns',
  'expired-certificate',
  'kill',
  'shutdown',
  'freeze',
  'power-cut',
  'clock',
  'cpu',
  'memory',
  'io',
  'disk-full',
  'file-descriptors',
] as const;

function oneOf<const T extends string>(names: readonly T[], description: string) {
  return Type.Unsafe<T>({ type: 'string', enum: [...names], description });
}

const exact = { additionalProperties: false };
const limits = {
  'at-least': Type.Optional(Type.Number({ description: 'Least value' })),
  'at-most': Type.Optional(Type.Number({ description: 'Greatest value' })),
};
const stream = oneOf(streamNames, 'Kind of request');
const measure = oneOf(Object.keys(measures) as Measure[], 'Measure of the stream; shares are relative to the planned requests');

const streamProbe = Type.Object({ stream, measure, ...limits }, { ...exact, description: 'A measure of a stream in a phase' });
const metricProbe = Type.Object(
  {
    service: oneOf(groupServices, 'Service whose metrics are read'),
    metric: Type.String({ minLength: 1, description: 'Name of a metric in `/metrics`' }),
    labels: Type.Optional(Type.String({ minLength: 1, description: 'Text that the labels of the series contain' })),
    ...limits,
  },
  { ...exact, description: 'The greatest value of a metric of the experimental group during the attack, or the growth of a counter' },
);

const seconds = Type.Integer({ minimum: 1, maximum: 120 });

/** JSON Schema of an experiment. */
export const experimentSchema = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 100, description: 'Name of the experiment' }),
    description: Type.String({ minLength: 1, description: 'Purpose of the experiment' }),
    expected: oneOf(['held', 'deviated', 'aborted'], 'Verdict that `chaos all` expects'),
    'planted-in': Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Experiment that this one repeats with a weakness in its settings. It must find the weakness',
      }),
    ),
    services: Type.Array(oneOf(groupServices, 'Service'), { minItems: 1, uniqueItems: true, description: 'Services of each group' }),
    settings: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Z][A-Z0-9_]*$' }), Type.String(), { description: 'Settings of the services of both groups' }),
    ),
    load: Type.Record(Type.String({ pattern: `^(${streamNames.join('|')})$` }), Type.Number({ exclusiveMinimum: 0, maximum: 2000 }), {
      description: 'Requests a second to each group',
    }),
    phases: Type.Object(
      {
        before: seconds,
        during: seconds,
        settle: Type.Integer({ minimum: 0, maximum: 120, description: 'Time after the attack that is not judged' }),
        after: seconds,
      },
      { ...exact, description: 'Lengths of the phases in seconds. The attacks begin with `during`' },
    ),
    'steady-state': Type.Array(streamProbe, {
      minItems: 1,
      description: 'Holds in both groups before the attack, in the control group during it, and in both groups after it',
    }),
    hypothesis: Type.Object(
      {
        statement: Type.String({ minLength: 1, description: 'The claim in words' }),
        probes: Type.Array(Type.Union([streamProbe, metricProbe]), {
          minItems: 1,
          description: 'Hold in the experimental group during the attack',
        }),
        'no-worse': Type.Array(
          Type.Object(
            {
              stream,
              measure: oneOf(['accepted-share', 'p99-ms'], 'Measure that is compared'),
              margin: Type.Number({ minimum: 0, description: 'Difference that does not matter, in the unit of the measure' }),
            },
            exact,
          ),
          { description: 'The experimental group is not significantly worse than the control group during the attack (p < 0.01)' },
        ),
      },
      exact,
    ),
    method: Type.Array(
      Type.Object(
        {
          attack: oneOf(attackNames, 'Name of the attack'),
          target: oneOf([...proxiedParts, ...groupServices], 'Service or dependency of the experimental group'),
          seconds: Type.Integer({ minimum: 1, maximum: 60, description: 'Time after which the attack ends by itself' }),
          arguments: Type.Optional(
            Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()]), { description: 'Values of the attack' }),
          ),
        },
        exact,
      ),
      { minItems: 1, maxItems: 3, description: 'Attacks, all begun together' },
    ),
    rollbacks: Type.Array(
      Type.Object(
        { action: oneOf(['start', 'clear-faults'], 'Action'), target: oneOf([...proxiedParts, ...groupServices], 'Service or dependency') },
        exact,
      ),
      { description: 'Run in any case: after a failure, an abort and an interruption' },
    ),
    'abort-conditions': Type.Array(
      Type.Object(
        {
          group: oneOf(['control', 'experiment'], 'Group that is watched'),
          stream,
          measure: oneOf(['failed-share', 'dropped-share'], 'Measure that is watched, relative to the requests so far'),
          'at-most': Type.Number({ description: 'Value above which the experiment is aborted' }),
        },
        exact,
      ),
      { minItems: 1, description: 'Watched each second while the load runs' },
    ),
    'blast-radius': Type.Object(
      {
        targets: Type.Array(oneOf([...proxiedParts, ...groupServices], 'Service or dependency'), {
          minItems: 1,
          description: 'All that the method may attack, always in the experimental group only',
        }),
        'seconds-max': Type.Integer({ minimum: 1, maximum: 60, description: 'Longest attack' }),
      },
      exact,
    ),
  },
  { ...exact, title: 'Experiment', description: 'A chaos experiment of `./millrace chaos run FILE`.' },
);

/** A chaos experiment. */
export type Experiment = Static<typeof experimentSchema>;

/** An attack of an experiment. */
export type AttackPlan = Experiment['method'][number];

/** A probe of the hypothesis. */
export type Probe = Experiment['hypothesis']['probes'][number];
