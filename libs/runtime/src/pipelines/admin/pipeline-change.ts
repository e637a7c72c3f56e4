import { type Validator, validatorFor } from '@millrace/contracts';
import { type BreakerMode, type ChaosRule, chaosRuleRanges, type PipelinePatch, type PipelineSettings, type SettingRange } from '@millrace/resilience';
import { type TSchema, Type } from 'typebox';
import { type Knob, type KnobPolicy, knobs } from '../settings/knobs.ts';

/** What an operator may change of a pipeline while it runs: its numbers, who decides about its circuit, and, where it is allowed, faults. */
export interface PipelineChange extends Omit<PipelinePatch, 'chaos'> {
  /** Who decides about the circuit; refused where there is none. Default: as it is. */
  readonly mode?: BreakerMode;
  /** Faults in place of those there are; none ends them. Refused unless `…_CHAOS_ALLOWED` was true at start. Default: as it is. */
  readonly chaos?: { readonly rules: readonly ChaosRule[] };
}

const modes: readonly BreakerMode[] = ['auto', 'forced-open', 'forced-closed', 'disabled'];

const rate = Type.Optional(numberOf({ ...chaosRuleRanges.rate, description: 'Share of attempts it is for; default all' }));
const keys = Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { minItems: 1, maxItems: 100, description: 'Keys it is for; default all' }));
const strict = { additionalProperties: false };

/** One kind of injected fault, as JSON can say it. */
const chaosRules: Readonly<Record<ChaosRule['kind'], TSchema>> = {
  latency: Type.Object({ kind: Type.Literal('latency'), ms: numberOf({ ...chaosRuleRanges.ms, description: 'Wait before the work, in milliseconds' }), rate, keys }, strict),
  fault: Type.Object({ kind: Type.Literal('fault'), rate, keys }, strict),
  outcome: Type.Object({ kind: Type.Literal('outcome'), value: Type.Unknown(), rate, keys }, strict),
  hang: Type.Object({ kind: Type.Literal('hang'), rate, keys }, strict),
};

const ruleShape = Type.Object({ kind: Type.Unsafe<ChaosRule['kind']>({ type: 'string', enum: Object.keys(chaosRules) }) }, { additionalProperties: true });
const rulesPerPipelineMax = 20;

const ruleValidators = Object.fromEntries(Object.entries(chaosRules).map(([kind, schema]) => [kind, validatorFor(schema)])) as Record<ChaosRule['kind'], Validator<TSchema>>;

/** The check of one kind of rule: a union would name every member that does not fit, this names the field. */
export function chaosRuleValidator(kind: ChaosRule['kind']): Validator<TSchema> {
  return ruleValidators[kind];
}

/** The change that a pipeline of these settings takes: a policy it does not have is not a known field. */
export function changeSchema(settings: PipelineSettings): TSchema {
  const properties: Record<string, TSchema> = {};
  for (const policy of ['timeout', 'retry', 'breaker', 'bulkhead', 'shed', 'cache'] as const) {
    if (settings[policy] !== undefined) properties[policy] = Type.Optional(policySchema(policy));
  }
  if (settings.fallbacks.length > 0) properties['fallbackConcurrencyMax'] = Type.Optional(numberOf(knobs.find(({ field }) => field === 'fallbackConcurrencyMax')!));
  if (settings.breaker !== undefined) properties['mode'] = Type.Optional(Type.Unsafe({ type: 'string', enum: [...modes] }));
  properties['chaos'] = Type.Optional(Type.Object({ rules: Type.Array(ruleShape, { maxItems: rulesPerPipelineMax }) }, strict));
  return Type.Object(properties, strict);
}

/** The client is built with the time to connect; the pipeline only shows it. */
function needsRestart({ field }: Knob): boolean {
  return field === 'connectMs';
}

/** Numbers of a policy, those of its parts (`budget.ratio`) as objects of their own. */
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
