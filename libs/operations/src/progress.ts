/** Progress of a running operation. */
export interface Progress<Phase extends string = string> {
  /** Part of the operation that runs now. The phases follow each other in a fixed order. */
  readonly phase: Phase;
  /** Progress of the phase, as a short text. Absent when the phase begins. */
  readonly detail?: string;
  /** Number of items of the phase, where it is known when the phase begins. */
  readonly total?: number;
}

/** Options that every operation takes. */
export interface OperationOptions<Phase extends string = string> {
  /** Ends the operation. It then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** Receives the begin of each phase and its progress. Default: no report. */
  readonly onProgress?: ((progress: Progress<Phase>) => void) | undefined;
}

/** Reports the begin of a phase and returns the function that reports its progress. */
export function beginPhase<Phase extends string>(
  onProgress: OperationOptions<Phase>['onProgress'],
  phase: Phase,
  total?: number,
): (detail: string) => void {
  onProgress?.({ phase, ...(total === undefined ? {} : { total }) });
  return (detail) => onProgress?.({ phase, detail });
}
