import { Ajv } from 'ajv';
import type { AttacksView, FinishedAttack, StartedAttack } from '@millrace/contracts';
import { ExperimentError } from '../errors.ts';
import { attackNames, experimentSchema, groupServices, proxiedParts, type AttackPlan } from '../experiment/experiment-schema.ts';
import type { RunningAttack } from '../attacks/attack.ts';

/** Effects of {@link AttackAdmin}. */
export interface AttackActions {
  /** @throws ExperimentError `refused` when a process is outside the chaos profile */
  begin(plan: AttackPlan): Promise<RunningAttack>;
  /** Starts a service again that an attack has ended. */
  restart(target: AttackPlan['target']): Promise<void>;
  readonly now: () => Date;
}

const runningMax = 3;
const endedMax = 100;
/** An attack as it was asked for. */
type Begun = StartedAttack & AttackPlan;

const endsProcesses: ReadonlySet<string> = new Set(['kill', 'shutdown', 'power-cut'] satisfies AttackPlan['attack'][]);
const isPlan = new Ajv({ allErrors: true, strict: false }).compile<AttackPlan>(experimentSchema.properties.method.items);

interface Kept {
  readonly started: Begun;
  readonly attack: RunningAttack;
  readonly timer: NodeJS.Timeout;
  finish: Promise<FinishedAttack> | undefined;
}

/** Starts, lists and stops attacks by hand. Each attack ends after its time. */
export class AttackAdmin {
  readonly #actions: AttackActions;
  readonly #running = new Map<number, Kept>();
  readonly #ended: FinishedAttack[] = [];
  #begun = 0;
  #beginning = 0;

  constructor(actions: AttackActions) {
    this.#actions = actions;
  }

  list(): AttacksView {
    return {
      attacks: attackNames,
      targets: [...proxiedParts, ...groupServices],
      running: [...this.#running.values()].map(({ started }) => started),
      ended: this.#ended,
    };
  }

  /** @throws ExperimentError `invalid` for a faulty plan, `busy` when too many attacks run, `refused` outside the chaos profile */
  async start(plan: unknown): Promise<StartedAttack> {
    if (!isPlan(plan)) {
      const faults = (isPlan.errors ?? []).map(({ instancePath, message = '' }) => `${instancePath.slice(1) || 'the attack'} ${message}`);
      throw new ExperimentError('invalid', `The attack cannot be started: ${faults.join('; ')}.`);
    }
    const same = [...this.#running.values()].find(({ started }) => started.attack === plan.attack && started.target === plan.target);
    if (same !== undefined)
      throw new ExperimentError('busy', `The attack ${plan.attack} on ${plan.target} runs already: ${same.started.id}.`);
    if (this.#running.size + this.#beginning >= runningMax)
      throw new ExperimentError('busy', `${runningMax} attacks run already, and no more may: stop one.`);
    this.#beginning += 1;
    try {
      const attack = await this.#actions.begin(plan);
      const started = { ...plan, id: (this.#begun += 1), beganAt: this.#actions.now().toISOString() };
      const timer = setTimeout(() => void this.stop(started.id).catch(() => undefined), plan.seconds * 1000);
      this.#running.set(started.id, { started, attack, timer, finish: undefined });
      return started;
    } finally {
      this.#beginning -= 1;
    }
  }

  /** Ends an attack and undoes it. @throws ExperimentError `unknown` when no attack with this id runs */
  async stop(id: number): Promise<FinishedAttack> {
    const kept = this.#running.get(id);
    if (kept === undefined) throw new ExperimentError('unknown', `No attack ${id} runs.`);
    clearTimeout(kept.timer);
    return await (kept.finish ??= this.#finish(kept));
  }

  /** Ends every attack. */
  async stopAll(): Promise<FinishedAttack[]> {
    return await Promise.all([...this.#running.keys()].map(async (id) => await this.stop(id)));
  }

  async #finish({ started, attack }: Kept): Promise<FinishedAttack> {
    try {
      const finished = { ...started, ...(await attack.end()) };
      if (endsProcesses.has(started.attack)) await this.#actions.restart(started.target);
      this.#ended.push(finished);
      if (this.#ended.length > endedMax) this.#ended.shift();
      return finished;
    } finally {
      this.#running.delete(started.id);
    }
  }
}
