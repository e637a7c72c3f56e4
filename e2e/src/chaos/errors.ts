import { CodedError } from '@millrace/resilience/coded-error';

/** Reason why an experiment cannot run or has no verdict. */
export type ExperimentErrorCode =
  /** The file is not an experiment, or its method leaves the blast radius. */
  | 'invalid'
  /** The steady state did not hold, a group did not start, an abort condition was met, or an attack took no effect. */
  | 'aborted'
  /** The attack would reach a process outside the chaos profile, or the request comes from elsewhere. */
  | 'refused'
  /** Too many attacks run. */
  | 'busy'
  /** There is no such attack. */
  | 'unknown';

/** Thrown when an experiment cannot give a verdict on its hypothesis. */
export class ExperimentError extends CodedError {
  readonly code: ExperimentErrorCode;
  readonly retryable = false;

  constructor(code: ExperimentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
