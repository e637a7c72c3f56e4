import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';

/** What opossum asks of an action's answer: `then(…).catch(…)`, once. {@link Attempt} is one, which spares two promises a call. */
export interface Settling {
  then(fulfilled: (value: unknown) => void): { catch(rejected: (reason: unknown) => void): unknown };
}

/** A call that the gate starts. */
export interface GatedCall {
  begin(): Settling;
}

/** Entries of one of opossum's buckets after which it gets a fresh one: it remembers the latency of each call. */
const bucketCallsMax = 1024;

/**
 * Opossum as gate and counter behind our own judgement. Its clock, window, timeout, capacity, half-open state and abort are all switched off or
 * out of reach; `docs/resilience.md` names the defect behind each option.
 */
export class OpossumGate {
  private readonly turns = new EventEmitter();
  private readonly breaker: CircuitBreaker<[GatedCall]>;
  private callsOfBucket = 0;

  constructor(name: string) {
    this.breaker = new CircuitBreaker<[GatedCall]>((call: GatedCall) => call.begin() as Promise<unknown>, {
      name,
      timeout: false,
      volumeThreshold: Number.MAX_SAFE_INTEGER,
      errorThresholdPercentage: 100,
      resetTimeout: 2_147_483_647,
      errorFilter: () => true,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: this.turns,
    });
  }

  /** Starts the call. Settles as the call does, after it; refused only in a moment that our own state forbids. */
  fire(call: GatedCall): Promise<unknown> {
    if (this.callsOfBucket === bucketCallsMax) {
      this.callsOfBucket = 0;
      this.turns.emit('rotate');
    }
    this.callsOfBucket += 1;
    return this.breaker.fire(call);
  }

  open(): void {
    this.breaker.open();
  }

  close(): void {
    this.breaker.close();
  }

  /** Releases its timers. */
  shutdown(): void {
    this.breaker.shutdown();
  }
}
