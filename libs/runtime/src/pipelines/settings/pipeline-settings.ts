import type { ChaosSpec, PipelineSpec } from '@millrace/resilience';
import { type TBoolean, type TSchema, Type } from 'typebox';
import { type Knob, type KnobPolicy, listKnobs, readKnob } from './knobs.ts';

/** Declaration of a pipeline by an app: its policies with the app's defaults. Its key is its name. */
export interface PipelineDefaults extends Omit<PipelineSpec, 'name' | 'chaos'> {
  /** Policies whose numbers are fixed by the app and have no settings. */
  readonly fixed?: readonly KnobPolicy[];
}

/** The pipelines of an app by name. */
export type NamedDefaults = Readonly<Record<string, PipelineDefaults>>;

/** Specs of {@link NamedDefaults} with their names. The types still show the policies of each pipeline. */
export type NamedSpecs<P extends NamedDefaults> = {
  readonly [N in keyof P & string]: P[N] & { readonly name: N; readonly chaos: ChaosSpec };
};

/** Converts a name for an environment setting: `kafka-admin` becomes `KAFKA_ADMIN`. */
type EnvName<N extends string> = N extends `${infer Head}-${infer Tail}` ? `${Uppercase<Head>}_${EnvName<Tail>}` : Uppercase<N>;

/** Settings that every pipeline has, independent of its policies. */
export type PipelineSettingsSchema<Prefix extends string, P extends NamedDefaults> = {
  readonly [N in keyof P & string as `${Prefix}_${EnvName<N>}_CHAOS_ALLOWED`]: TBoolean;
};

/**
 * Creates the settings of all pipelines of an app. Spread them into the settings of the app. `SINK_S3_ATTEMPT_TIMEOUT_MS` is
 * `timeout.attemptMs` of the pipeline `s3` under the prefix `SINK`. The default is that of the app or else that of the library.
 * A pipeline has settings only for the policies that it declares.
 *
 * The type names only the settings that every pipeline has; {@link pipelineSpecs} reads the others.
 *
 * @param prefix Prefix of the app without the underscore.
 */
export function pipelineSettings<const Prefix extends string, const P extends NamedDefaults>(
  prefix: Prefix,
  pipelines: P,
): PipelineSettingsSchema<Prefix, P> {
  const properties: Record<string, TSchema> = {};
  for (const [name, spec] of Object.entries(pipelines)) {
    for (const knob of settable(spec)) properties[keyOf(prefix, name, knob.suffix)] = schemaOf(knob, name, readKnob(spec, knob));
    properties[keyOf(prefix, name, chaosSuffix)] = Type.Boolean({
      default: false,
      description: `Pipeline ${name}: whether an operator may inject faults at run time`,
    });
  }
  return properties as unknown as PipelineSettingsSchema<Prefix, P>;
}

/** Creates the specs from settings that `readConfig` has read with {@link pipelineSettings}. */
export function pipelineSpecs<const P extends NamedDefaults>(
  prefix: string,
  pipelines: P,
  config: Readonly<Record<string, unknown>>,
): NamedSpecs<P> {
  return Object.fromEntries(
    Object.entries(pipelines).map(([name, defaults]) => [name, specOf(prefix, name, defaults, config)]),
  ) as unknown as NamedSpecs<P>;
}

/** Lists the pipelines that allow chaos, for a warning at the start. */
export function chaosAllowed(specs: Readonly<Record<string, Pick<PipelineSpec, 'chaos'>>>): readonly string[] {
  return Object.entries(specs).flatMap(([name, spec]) => (spec.chaos?.allowed === true ? [name] : []));
}

function settable(defaults: PipelineDefaults): readonly Knob[] {
  return listKnobs(defaults).filter(({ policy }) => policy === undefined || defaults.fixed?.includes(policy) !== true);
}

const chaosSuffix = 'CHAOS_ALLOWED';

function keyOf(prefix: string, name: string, suffix: string): string {
  return `${prefix}_${name.toUpperCase().replaceAll('-', '_')}_${suffix}`;
}

function schemaOf({ whole, minimum, maximum, description, fallback }: Knob, name: string, given: number | undefined): TSchema {
  const value = given ?? fallback;
  const options = {
    minimum,
    maximum,
    description: `Pipeline ${name}: ${description.charAt(0).toLowerCase()}${description.slice(1)}`,
    ...(value === undefined ? {} : { default: value }),
  };
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

/** Sets a value at a path. It copies the objects on the path, so the app's defaults do not change. */
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
