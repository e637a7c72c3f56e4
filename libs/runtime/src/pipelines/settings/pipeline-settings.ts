import type { ChaosSpec, PipelineSpec } from '@millrace/resilience';
import { type TBoolean, type TSchema, Type } from 'typebox';
import { type Knob, type KnobPolicy, knobsOf, valueOf } from './knobs.ts';

/** A pipeline as an app declares it: its policies with the app's defaults. Its name is its key. */
export interface PipelineDefaults extends Omit<PipelineSpec, 'name' | 'chaos'> {
  /** Policies whose numbers are the app's own business and no settings. */
  readonly fixed?: readonly KnobPolicy[];
}

/** The pipelines of an app by name. */
export type NamedDefaults = Readonly<Record<string, PipelineDefaults>>;

/** The specs of {@link NamedDefaults}, each with its name; which policies it has stays visible to the compiler. */
export type NamedSpecs<P extends NamedDefaults> = { readonly [N in keyof P & string]: P[N] & { readonly name: N; readonly chaos: ChaosSpec } };

/** A name as it stands in an environment key: `kafka-admin` is `KAFKA_ADMIN`. */
type EnvName<N extends string> = N extends `${infer Head}-${infer Tail}` ? `${Uppercase<Head>}_${EnvName<Tail>}` : Uppercase<N>;

/** Those of the settings that every pipeline has, whatever its policies. */
export type PipelineSettingsSchema<Prefix extends string, P extends NamedDefaults> = { readonly [N in keyof P & string as `${Prefix}_${EnvName<N>}_CHAOS_ALLOWED`]: TBoolean };

/**
 * Settings of every pipeline of an app, to be spread into its settings: `SINK_S3_ATTEMPT_TIMEOUT_MS` is `timeout.attemptMs` of the pipeline `s3`
 * under the prefix `SINK`. Each has the default that the app gives, or the library's. A pipeline has the settings of the policies it declares.
 *
 * The type names only the setting that every pipeline has; {@link pipelineSpecs} reads the others.
 *
 * @param prefix Prefix of the app without its underscore.
 */
export function pipelineSettings<const Prefix extends string, const P extends NamedDefaults>(prefix: Prefix, pipelines: P): PipelineSettingsSchema<Prefix, P> {
  const properties: Record<string, TSchema> = {};
  for (const [name, spec] of Object.entries(pipelines)) {
    for (const knob of settable(spec)) properties[keyOf(prefix, name, knob.suffix)] = schemaOf(knob, name, valueOf(spec, knob));
    properties[keyOf(prefix, name, chaosSuffix)] = Type.Boolean({ default: false, description: `Pipeline ${name}: whether faults may be injected at run time` });
  }
  return properties as unknown as PipelineSettingsSchema<Prefix, P>;
}

/** Builds the specs out of settings that `readConfig` has read with {@link pipelineSettings}. */
export function pipelineSpecs<const P extends NamedDefaults>(prefix: string, pipelines: P, config: Readonly<Record<string, unknown>>): NamedSpecs<P> {
  return Object.fromEntries(Object.entries(pipelines).map(([name, defaults]) => [name, specOf(prefix, name, defaults, config)])) as unknown as NamedSpecs<P>;
}

/** Pipelines whose chaos setting is on: worth a line at start. */
export function chaosAllowed(specs: Readonly<Record<string, Pick<PipelineSpec, 'chaos'>>>): readonly string[] {
  return Object.entries(specs).flatMap(([name, spec]) => (spec.chaos?.allowed === true ? [name] : []));
}

function settable(defaults: PipelineDefaults): readonly Knob[] {
  return knobsOf(defaults).filter(({ policy }) => policy === undefined || defaults.fixed?.includes(policy) !== true);
}

const chaosSuffix = 'CHAOS_ALLOWED';

function keyOf(prefix: string, name: string, suffix: string): string {
  return `${prefix}_${name.toUpperCase().replaceAll('-', '_')}_${suffix}`;
}

function schemaOf({ whole, minimum, maximum, description, fallback }: Knob, name: string, given: number | undefined): TSchema {
  const value = given ?? fallback;
  const options = { minimum, maximum, description: `Pipeline ${name}: ${description.charAt(0).toLowerCase()}${description.slice(1)}`, ...(value === undefined ? {} : { default: value }) };
  const schema = whole ? Type.Integer(options) : Type.Number(options);
  return value === undefined ? Type.Optional(schema) : schema;
}

function specOf(prefix: string, name: string, defaults: PipelineDefaults, values: Readonly<Record<string, unknown>>): PipelineSpec {
  const { fixed: _fixed, ...policies } = defaults;
  const spec: Record<string, unknown> = { ...policies, name, chaos: { allowed: values[keyOf(prefix, name, chaosSuffix)] === true } };
  for (const knob of settable(defaults)) {
    const value = values[keyOf(prefix, name, knob.suffix)];
    if (value !== undefined) setIn(spec, [...(knob.policy === undefined ? [] : [knob.policy]), ...knob.field.split('.')], value);
  }
  return spec as unknown as PipelineSpec;
}

/** Sets a value at a path, copying what lies on it, so that the app's defaults stay as they are. */
function setIn(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first, ...rest] = path;
  if (first === undefined) return;
  if (rest.length === 0) {
    target[first] = value;
    return;
  }
  const inner = { ...(target[first] as Record<string, unknown> | undefined) };
  target[first] = inner;
  setIn(inner, rest, value);
}
