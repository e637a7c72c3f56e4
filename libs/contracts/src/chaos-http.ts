// The endpoint of attacks belongs to the proofs and is not a service, so it has no OpenAPI document. Its program and the console share
// these
// types.

/** Path of the endpoint of attacks. */
export const attacksPath = '/admin/attacks';

/** An attack that was started by hand. */
export interface StartedAttack {
  readonly id: number;
  readonly attack: string;
  readonly target: string;
  /** Seconds after which it ends by itself. */
  readonly seconds: number;
  /** Values of the attack. Default: none. */
  readonly arguments?: Readonly<Record<string, string | number>>;
  /** Start, ISO 8601. */
  readonly beganAt: string;
}

/** An attack that was started by hand and has ended. */
export interface FinishedAttack extends StartedAttack {
  readonly tookEffect: boolean;
  /** Proof that the attack took effect. */
  readonly proof: string;
}

/** Answer to `GET /admin/attacks`. */
export interface AttacksView {
  readonly attacks: readonly string[];
  readonly targets: readonly string[];
  readonly running: readonly StartedAttack[];
  readonly ended: readonly FinishedAttack[];
}

/** A probe of an experiment with its values in both groups. A group without a value has no samples. */
export interface ComparedValue {
  readonly phase: string;
  readonly probe: string;
  readonly control?: number;
  readonly experiment?: number;
  readonly limit: string;
  readonly met: boolean;
}

/** Last kept result of an experiment. */
export interface ExperimentResult {
  /** Start, ISO 8601. */
  readonly at: string;
  readonly verdict: string;
  readonly reason: string;
  /** Proof that each attack took effect. */
  readonly proofs: readonly string[];
  readonly values: readonly ComparedValue[];
}

/** An experiment of the catalogue. */
export interface ExperimentView {
  readonly file: string;
  readonly title: string;
  readonly hypothesis: string;
  readonly attacks: readonly Pick<StartedAttack, 'attack' | 'target' | 'seconds'>[];
  readonly expected: string;
  /** Absent: it has not run. */
  readonly result?: ExperimentResult;
}

/** Answer to `GET /admin/attacks/experiments`. */
export interface ExperimentList {
  readonly experiments: readonly ExperimentView[];
}
