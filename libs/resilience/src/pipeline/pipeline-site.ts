import type { AbortFanOut } from '../time/abort-fan-out.ts';
import type { Breaker } from '../breaker/breaker.ts';
import type { Bulkhead } from '../admission/bulkhead.ts';
import type { Chaos } from '../attempt/chaos.ts';
import type { Clock } from '../time/clock.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { ErrorClass } from '../errors/error-class.ts';
import type { EventHub } from '../telemetry/event-hub.ts';
import type { OpossumGate } from '../breaker/opossum-gate.ts';
import type { PipelineSettings } from '../settings/pipeline-settings.ts';
import type { TimerQueue } from '../time/timer-queue.ts';
import type { Waits } from '../time/wait.ts';

/** What the policies of one pipeline share. */
export interface PipelineSite {
  readonly name: string;
  readonly clock: Clock;
  readonly monotonic: () => number;
  readonly random: () => number;
  readonly events: EventHub;
  readonly counters: Counters;
  readonly fanOut: AbortFanOut;
  readonly waits: Waits;
  readonly breaker: Breaker | undefined;
  readonly gate: OpossumGate | undefined;
  readonly bulkhead: Bulkhead | undefined;
  readonly chaos: Chaos | undefined;
  readonly classify: (error: unknown) => ErrorClass;
  /** `draining` takes no new calls, `closed` begins no new attempts either. */
  state: 'running' | 'draining' | 'closed';
  /** In force now. */
  settings: PipelineSettings;
  /** Limits of attempts, of the length in force now. */
  attemptTimers: TimerQueue;
  /** A call or its work has ended: whoever drains may go on. */
  noticeIdle(): void;
}
