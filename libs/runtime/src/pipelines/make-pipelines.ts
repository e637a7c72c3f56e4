import { createPipeline, createRetryBudget, type LoadSource, type Pipeline, type PipelineSettings, PipelineSettingsError, type PipelineSpec, type RetryBudget, retryBudgetDefaults } from '@millrace/resilience';
import type { Logger } from 'pino';
import { ConfigError } from '../errors.ts';
import { type CallPath, CallPaths, type SettingsOf } from './call-paths.ts';
import type { RemedyOf } from './dependency-errors.ts';
import type { PipelineRegistry, PipelineRule } from './pipeline-registry.ts';
import { chaosAllowed } from './settings/pipeline-settings.ts';

/** The pipelines of a process. */
export interface PipelinesOptions {
  /** By name. Those of one dependency that try again must agree on its retry budget. */
  readonly specs: Readonly<Record<string, PipelineSpec>>;
  /** Every way from a request to a dependency; see {@link CallPath}. Default: none is counted. */
  readonly callPaths?: readonly CallPath[];
  /** Most attempts that one request may cause, ≥ 1; with more the start is refused. Default 12. */
  readonly attemptsPerRequestMax?: number;
  /** What must hold besides, at the start and after every change while the service runs. Default: nothing. */
  readonly rule?: PipelineRule;
  /** What to do about an error of a dependency that waiting does not mend; such errors are logged once a minute. Default: no error is one. */
  readonly remedyOf?: RemedyOf;
}

/** What pipelines are made with. */
export interface PipelineSurroundings {
  /** Where they are found, measured and drained. */
  readonly registry: PipelineRegistry;
  /** What those that shed decide on. */
  readonly load: LoadSource;
  /** Where it is said what one request may cost, and which pipelines take faults. */
  readonly logger: Logger;
}

/**
 * Makes pipelines and registers them, so that they are measured, shown and drained. Pipelines of one dependency share one retry budget, which is what the dependency bears.
 * Says in the log what one request may cost.
 *
 * @throws ConfigError naming every setting that contradicts another
 * @throws StartRefusedError when one request may cause more attempts than the limit
 */
export function makePipelines({ specs, callPaths, attemptsPerRequestMax, rule, remedyOf }: PipelinesOptions, { registry, load, logger }: PipelineSurroundings): readonly Pipeline[] {
  const problems = pipelineProblems(specs, rule);
  if (problems.length > 0) throw new ConfigError(problems);
  const budgets = new Map<string, RetryBudget>();
  const made = Object.values(specs).map((spec) => registry.register(createPipeline(spec, { load, ...budgetOf(spec, budgets) })));
  if (callPaths !== undefined) {
    const paths = new CallPaths([...(registry.callPaths?.paths ?? []), ...callPaths], attemptsPerRequestMax);
    const settingsOf: SettingsOf = (name) => registry.get(name).settings();
    paths.enforce(settingsOf);
    registry.callPaths = paths;
    logger.info({ paths: paths.count(settingsOf) }, paths.sentence(settingsOf));
  }
  if (rule !== undefined) registry.rules.push(rule);
  if (remedyOf !== undefined) registry.remedyOf = remedyOf;
  const chaotic = chaosAllowed(specs);
  if (chaotic.length > 0) logger.warn({ pipelines: chaotic }, `Faults may be injected into ${chaotic.join(', ')}: the setting CHAOS_ALLOWED is on.`);
  return made;
}

/**
 * What is wrong with specs, one sentence each: for the rules between settings of an app.
 * @param rule Asked when every pipeline by itself is good.
 */
export function pipelineProblems(specs: Readonly<Record<string, PipelineSpec>>, rule?: PipelineRule): readonly string[] {
  const settings = new Map<string, PipelineSettings>();
  const ofOne = Object.values(specs).flatMap((spec) => {
    try {
      const pipeline = createPipeline(spec, { load: idle });
      settings.set(spec.name, pipeline.settings());
      pipeline.close();
      return [];
    } catch (error) {
      if (error instanceof PipelineSettingsError) return error.problems.map((problem) => `Pipeline ${spec.name}: ${problem}`);
      throw error;
    }
  });
  const ofAll = ofOne.length > 0 ? [] : (rule?.((name) => settings.get(name)!) ?? []);
  return [...ofOne, ...budgetProblems(Object.values(specs)), ...ofAll];
}

/** There is one budget for a dependency, so that only one of two settings could hold. */
function budgetProblems(specs: readonly PipelineSpec[]): readonly string[] {
  const retrying = specs.filter(({ retry }) => retry !== undefined);
  return retrying.flatMap((spec) => {
    const first = retrying.find((other) => dependencyOf(other) === dependencyOf(spec))!;
    const fields = (['ratio', 'perSecondMin', 'windowSeconds'] as const).filter((field) => budgetSettingsOf(first)[field] !== budgetSettingsOf(spec)[field]);
    return fields.map(
      (field) =>
        `Pipelines ${first.name} and ${spec.name} share the retry budget of ${dependencyOf(spec)}, but retry.budget.${field} is ${budgetSettingsOf(first)[field]} of the one and ${budgetSettingsOf(spec)[field]} of the other: give both the same.`,
    );
  });
}

function dependencyOf({ name, dependency = name }: PipelineSpec): string {
  return dependency;
}

function budgetSettingsOf({ retry }: PipelineSpec): typeof retryBudgetDefaults {
  return { ...retryBudgetDefaults, ...retry?.budget };
}

const idle: LoadSource = { eventLoopDelayMs: () => 0, heapUsedRatio: () => 0 };

function budgetOf(spec: PipelineSpec, budgets: Map<string, RetryBudget>): { retryBudget?: RetryBudget } {
  if (spec.retry === undefined) return {};
  const budget = budgets.get(dependencyOf(spec)) ?? createRetryBudget(budgetSettingsOf(spec));
  budgets.set(dependencyOf(spec), budget);
  return { retryBudget: budget };
}
