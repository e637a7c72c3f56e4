/** The settings of a pipeline that the table shows. Times are in milliseconds. */
export interface ShownSettings {
  readonly dependency: string;
  readonly timeout: { readonly connectMs?: number; readonly attemptMs: number; readonly totalMs: number };
  readonly retry?: { readonly attemptsMax: number };
  readonly breaker?: {
    readonly minimumCalls: number;
    readonly breakDurationMs: number;
    readonly breakDurationMsMax: number;
    readonly probes: number;
  };
  readonly bulkhead?: { readonly concurrencyMax: number; readonly queueMax: number; readonly queueWaitMsMax: number };
  readonly fallbacks: readonly string[];
}

/**
 * The cells of a pipeline in the table "Which call uses which" that follow from its settings: dependency, time, attempts, circuit, at once.
 */
export function pipelineCells({ dependency, timeout, retry, breaker, bulkhead }: ShownSettings): readonly string[] {
  return [
    `\`${dependency}\``,
    `${timeout.connectMs === undefined ? '' : `${seconds(timeout.connectMs)}, `}${seconds(timeout.attemptMs)} / ${seconds(timeout.totalMs)}`,
    String(retry?.attemptsMax ?? 1),
    breaker === undefined ? '–' : `${breaker.minimumCalls}, ${seconds(breaker.breakDurationMs)} – ${seconds(breaker.breakDurationMsMax)}`,
    bulkhead === undefined
      ? '–'
      : `${bulkhead.concurrencyMax}${bulkhead.queueMax === 0 ? '' : ` + ${bulkhead.queueMax} for ${seconds(bulkhead.queueWaitMsMax)}`}`,
  ];
}

function seconds(ms: number): string {
  return ms < 3_600_000 ? `${ms / 1000} s` : `${ms / 3_600_000} h`;
}
