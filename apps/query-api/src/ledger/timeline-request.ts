import { ledgerLimits } from '@millrace/contracts';
import { validationError } from '../errors.ts';
import { RequestParameters } from '../request-parameters.ts';
import type { TimeSteps } from './timeline.ts';

const dayMs = 86_400_000;

/**
 * Reads a time range from a query string. The default is the last day.
 *
 * @throws QueryError `validation` that names every parameter that is wrong
 */
export function timeStepsOf(query: Readonly<Record<string, string | string[] | undefined>>, nowMs: number): TimeSteps {
  const parameters = new RequestParameters(query, ['from', 'to', 'steps']);
  const toMs = parameters.time('to') ?? nowMs;
  const fromMs = parameters.time('from') ?? toMs - dayMs;
  const steps = parameters.wholeNumber('steps', 1, ledgerLimits.stepsMax) ?? ledgerLimits.stepsDefault;
  parameters.check();
  if (toMs - fromMs < ledgerLimits.spanMsMin)
    throw validationError([{ field: 'from', message: 'must be at least one second before "to"' }]);
  return { fromMs, toMs, steps };
}
