import { validatorFor, type Violation } from '@millrace/contracts';
import { applyPatch, type Pipeline, type PipelinePatch, PipelineSettingsError, type PipelineSettings, type PipelineSnapshot, type RetryBudgetSpec } from '@millrace/resilience';
import { ProblemError } from '../../errors.ts';
import type { CountedPath, SettingsOf } from '../call-paths.ts';
import type { PipelineRegistry } from '../pipeline-registry.ts';
import { changeSchema, chaosRuleValidator, type PipelineChange } from './pipeline-change.ts';

/** A pipeline as an operator sees it. */
export interface PipelineView {
  /** What it is asked for by: `/admin/pipelines/<name>`. */
  readonly name: string;
  /** What stands at its other end. */
  readonly dependency: string;
  /** In force now, defaults filled in. */
  readonly settings: PipelineSettings;
  /** Figures of the moment. */
  readonly snapshot: PipelineSnapshot;
}

/** All pipelines, and what one request may cost. */
export interface PipelinesView {
  /** By name. */
  readonly pipelines: readonly PipelineView[];
  /** Present where the service has declared its call paths. */
  readonly attemptsPerRequest?: { readonly limit: number; readonly paths: readonly CountedPath[] };
}

/** Reads and changes pipelines while they run. A change lasts until the process ends: what shall stay belongs into the environment. */
export class PipelineAdmin {
  constructor(private readonly registry: PipelineRegistry) {}

  /** Every pipeline, and what one request may cost with the settings of now. */
  list(): PipelinesView {
    const paths = this.registry.callPaths;
    return {
      pipelines: this.registry.list().map(viewOf),
      ...(paths === undefined ? {} : { attemptsPerRequest: { limit: paths.attemptsPerRequestMax, paths: paths.count((name) => this.registry.get(name).settings()) } }),
    };
  }

  /** @throws ProblemError `not-found` */
  one(name: string): PipelineView {
    return viewOf(this.find(name));
  }

  /**
   * Changes a pipeline: all of it or nothing.
   * @throws ProblemError `not-found`; `validation`, naming the fields; `forbidden` when faults are asked for where configuration does not allow them
   */
  change(name: string, body: unknown): PipelineView {
    const pipeline = this.find(name);
    const { mode, ...patch } = checked(pipeline.settings(), body);
    if (patch.chaos !== undefined && !pipeline.settings().chaos.allowed) {
      throw new ProblemError('forbidden', { detail: `Faults may not be injected into ${name}: its setting CHAOS_ALLOWED is false, and only a restart can change that.` });
    }
    this.checkRules(name, patch);
    if (Object.keys(patch).length > 0) update(pipeline, patch);
    if (patch.retry?.budget !== undefined) this.updateBudget(pipeline, patch.retry.budget);
    if (mode === 'auto') pipeline.auto();
    else if (mode === 'forced-open') pipeline.forceOpen();
    else if (mode === 'forced-closed') pipeline.forceClosed();
    else if (mode === 'disabled') pipeline.disable();
    return viewOf(pipeline);
  }

  /** All pipelines of a dependency share its budget: each shall show what holds. */
  private updateBudget(changed: Pipeline, budget: RetryBudgetSpec): void {
    for (const other of this.registry.list()) {
      if (other !== changed && other.dependency === changed.dependency && other.settings().retry !== undefined) other.update({ retry: { budget } });
    }
  }

  private find(name: string): Pipeline {
    const pipeline = this.registry.find(name);
    if (pipeline === undefined) throw new ProblemError('not-found', { detail: `There is no pipeline of that name; there are ${this.registry.list().map((one) => one.name).join(', ') || 'none'}.` });
    return pipeline;
  }

  /** What could not be started with may not be brought about later either. */
  private checkRules(changed: string, patch: PipelinePatch): void {
    const asIfChanged: SettingsOf = (name) => {
      const settings = this.registry.get(name).settings();
      return name === changed ? applyPatch(settings, patch) : settings;
    };
    const attempts = this.registry.callPaths?.problem(asIfChanged);
    const problems = [...(attempts === undefined ? [] : [`The change would multiply to too many attempts: ${attempts}`]), ...this.registry.rules.flatMap((rule) => rule(asIfChanged))];
    if (problems.length > 0) throw new ProblemError('validation', { detail: problems.join(' ') });
  }
}

const connectMsProblem = 'takes a restart: the client was built with it; change …_CONNECT_TIMEOUT_MS';

function viewOf(pipeline: Pipeline): PipelineView {
  return { name: pipeline.name, dependency: pipeline.dependency, settings: pipeline.settings(), snapshot: pipeline.snapshot() };
}

function checked(settings: PipelineSettings, body: unknown): PipelineChange {
  const violations = validatorFor(changeSchema(settings)).violations(body).map((violation) => (violation.field === 'timeout.connectMs' ? { field: violation.field, message: connectMsProblem } : violation));
  if (violations.length > 0) throw invalid(violations);
  const change = body as PipelineChange;
  const wrongRules = (change.chaos?.rules ?? []).flatMap((rule, index) =>
    chaosRuleValidator(rule.kind)
      .violations(rule)
      .map((violation) => ({ ...violation, field: `chaos.rules[${index}]${violation.field === '' ? '' : `.${violation.field}`}` })),
  );
  if (wrongRules.length > 0) throw invalid(wrongRules);
  return change;
}

function update(pipeline: Pipeline, patch: PipelinePatch): void {
  try {
    pipeline.update(patch);
  } catch (error) {
    if (!(error instanceof PipelineSettingsError)) throw error;
    throw new ProblemError('validation', { detail: error.problems.join(' '), cause: error });
  }
}

function invalid(errors: readonly Violation[]): ProblemError {
  return new ProblemError('validation', { detail: errors.map(({ field, message }) => `${field === '' ? 'The body' : field} ${message}`).join('; '), errors });
}
