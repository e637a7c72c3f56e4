import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';

/** The part of a promise that opossum uses: `then(…).catch(…)`, once. An attempt implements it and saves two promises per call. */
export interface GateThenable {
  then(fulfilled: (value: unknown) => void): { catch(rejected: (reason: unknown) => void): unknown };
}

/** A call that the gate starts. */
export interface GatedCall {
  begin(): GateThenable;
}

/** Maximum number of calls in one bucket of opossum, which stores the latency of each call. */
const bucketCallsMax = 1024;

/**
 * Opossum as gate and counter behind this library's breaker. Its clock, window, timeout, capacity, half-open state and abort are
 * switched off or unreachable. `docs/resilience.md` names the defect behind each option.
 */
export class OpossumGate {
  /** Public only for tests: they verify that opossum does no work beyond gate and counter. */
  readonly opossum: CircuitBreaker<[GatedCall]>;
  readonly #bucketRotation = new EventEmitter();
  #callsInBucket = 0;

  constructor(name: string) {
    this.opossum = new CircuitBreaker<[GatedCall]>((call: GatedCall) => call.begin() as Promise<unknown>, {
      name,
      timeout: false,
      volumeThreshold: Number.MAX_SAFE_INTEGER,
      errorThresholdPercentage: 100,
      resetTimeout: 2_147_483_647,
      errorFilter: () => true,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: this.#bucketRotation,
    });
  }

  /** Starts the call and settles after it. It can reject the call itself only in states that {@link Breaker.usesGate} excludes. */
  fire(call: GatedCall): Promise<unknown> {
    if (this.#callsInBucket === bucketCallsMax) {
      this.#callsInBucket = 0;
      this.#bucketRotation.emit('rotate');
    }
    this.#callsInBucket += 1;
    return this.opossum.fire(call);
  }

  open(): void {
    this.opossum.open();
  }

  close(): void {
    this.opossum.close();
  }

  /** Releases its timers. */
  shutdown(): void {
    this.opossum.shutdown();
  }
}
