import { type Validator, validatorFor } from '@millrace/contracts';
import {
  type BreakerMode,
  type ChaosRule,
  chaosRuleRanges,
  type PipelinePatch,
  type PipelineSettings,
  type SettingRange,
} from '@millrace/resilience';
import { type TSchema, Type } from 'typebox';
import { type Knob, type KnobPolicy, knobs } from '../settings/knobs.ts';

/** Change of a pipeline at run time: its numbers, the mode of its circuit, and chaos rules if they are allowed. */
export interface PipelineChange extends Omit<PipelinePatch, 'chaos'> {
  /** Mode of the circuit; invalid for a pipeline without one. Default: unchanged. */
  readonly mode?: BreakerMode;
  /** Replaces all chaos rules; an empty list ends chaos. Forbidden unless `…_CHAOS_ALLOWED` was true at the start. Default: unchanged. */
  readonly chaos?: { readonly rules: readonly ChaosRule[] };
}

const modes: readonly BreakerMode[] = ['auto', 'forced-open', 'forced-closed', 'disabled'];

const rate = Type.Optional(numberOf({ ...chaosRuleRanges.rate, description: 'Ratio of affected attempts; default all' }));
const keys = Type.Optional(
  Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
    minItems: 1,
    maxItems: 100,
    description: 'Keys of affected calls; default all',
  }),
);
const strict = { additionalProperties: false };

/** Schema of each kind of rule. */
const chaosRules: Readonly<Record<ChaosRule['kind'], TSchema>> = {
  latency: Type.Object(
    {
      kind: Type.Literal('latency'),
      ms: numberOf({ ...chaosRuleRanges.ms, description: 'Wait before the work, in milliseconds' }),
      rate,
      keys,
    },
    strict,
  ),
  fault: Type.Object({ kind: Type.Literal('fault'), rate, keys }, strict),
  outcome: Type.Object({ kind: Type.Literal('outcome'), value: Type.Unknown(), rate, keys }, strict),
  hang: Type.Object({ kind: Type.Literal('hang'), rate, keys }, strict),
};

const ruleShape = Type.Object(
  { kind: Type.Unsafe<ChaosRule['kind']>({ type: 'string', enum: Object.keys(chaosRules) }) },
  { additionalProperties: true },
);
const rulesPerPipelineMax = 20;

const ruleValidators = Object.fromEntries(Object.entries(chaosRules).map(([kind, schema]) => [kind, validatorFor(schema)])) as Record<
  ChaosRule['kind'],
  Validator<TSchema>
>;

/** Returns the validator for one kind of rule. A union would report every kind that does not match instead of the wrong field. */
export function chaosRuleValidator(kind: ChaosRule['kind']): Validator<TSchema> {
  return ruleValidators[kind];
}

const policies = ['timeout', 'retry', 'breaker', 'bulkhead', 'shed', 'cache'] as const;

/** Creates the schema of a change for a pipeline with these settings. A policy that it does not have is an unknown field. */
export function changeSchema(settings: PipelineSettings): TSchema {
  return changeOf(
    policies.filter((policy) => settings[policy] !== undefined),
    settings.fallbacks.length > 0,
  );
}

/** Schema of a change for a pipeline with every policy. */
export const anyChangeSchema: TSchema = changeOf(policies, true);

function changeOf(present: readonly KnobPolicy[], fallbacks: boolean): TSchema {
  const properties: Record<string, TSchema> = {};
  for (const policy of present) properties[policy] = Type.Optional(policySchema(policy));
  if (fallbacks)
    properties['fallbackConcurrencyMax'] = Type.Optional(numberOf(knobs.find(({ field }) => field === 'fallbackConcurrencyMax')!));
  if (present.includes('breaker')) properties['mode'] = Type.Optional(Type.Unsafe({ type: 'string', enum: [...modes] }));
  properties['chaos'] = Type.Optional(Type.Object({ rules: Type.Array(ruleShape, { maxItems: rulesPerPipelineMax }) }, strict));
  return Type.Object(properties, strict);
}

/** The client is created with its connect time; the pipeline only shows it. */
function needsRestart({ field }: Knob): boolean {
  return field === 'connectMs';
}

/** Numbers of a policy. Nested numbers such as `budget.ratio` become nested objects. */
function policySchema(policy: KnobPolicy): TSchema {
  const properties: Record<string, TSchema> = {};
  const parts: Record<string, Record<string, TSchema>> = {};
  for (const knob of knobs.filter((one) => one.policy === policy && !needsRestart(one))) {
    const [first = '', second] = knob.field.split('.');
    if (second === undefined) properties[first] = Type.Optional(numberOf(knob));
    else (parts[first] ??= {})[second] = Type.Optional(numberOf(knob));
  }
  for (const [name, part] of Object.entries(parts)) properties[name] = Type.Optional(Type.Object(part, strict));
  if (policy === 'cache') properties['coalesce'] = Type.Optional(Type.Boolean());
  return Type.Object(properties, strict);
}

function numberOf({ whole, minimum, maximum, description }: SettingRange & { readonly description: string }): TSchema {
  return whole ? Type.Integer({ minimum, maximum, description }) : Type.Number({ minimum, maximum, description });
}
