import type { FinishedAttack, StartedAttack } from '@millrace/contracts';
import type { ComponentChildren, JSX } from 'preact';
import { Moment } from '../../parts/moment.tsx';
import { ScrollTable } from '../../parts/scroll-table.tsx';

const columns = [
  { heading: 'Attack' },
  { heading: 'Target' },
  { heading: 'Values' },
  { heading: 'Began' },
  { heading: 'Seconds', isNumber: true },
];

export interface RunningAttacksProps {
  readonly attacks: readonly StartedAttack[];
  /** Stops an attack; without an id, all of them. */
  readonly onStop: (id?: number) => void;
}

/** Attacks that run, each with a button that ends it. */
export function RunningAttacks({ attacks, onStop }: RunningAttacksProps): JSX.Element {
  if (attacks.length === 0) return <p class="muted">No attack runs now.</p>;
  return (
    <>
      <ScrollTable label="Attacks that run" columns={[...columns, { heading: 'Action' }]}>
        {attacks.map((attack) => (
          <AttackRow key={attack.id} attack={attack}>
            <td>
              <button type="button" aria-label={`Stop ${attack.attack} on ${attack.target}`} onClick={() => onStop(attack.id)}>
                Stop
              </button>
            </td>
          </AttackRow>
        ))}
      </ScrollTable>
      <div>
        <button type="button" class="danger" onClick={() => onStop()}>
          Stop all
        </button>
      </div>
    </>
  );
}

/** Attacks that have ended, the newest first, with the proof of their effect. */
export function EndedAttacks({ attacks }: { readonly attacks: readonly FinishedAttack[] }): JSX.Element {
  if (attacks.length === 0) return <p class="muted">No attack has ended yet.</p>;
  return (
    <ScrollTable label="Attacks that have ended" columns={[...columns, { heading: 'Effect' }, { heading: 'Proof' }]}>
      {attacks.toReversed().map((attack) => (
        <AttackRow key={attack.id} attack={attack}>
          <td>
            <span class={`badge ${attack.tookEffect ? 'good' : 'warn'}`}>{attack.tookEffect ? 'took effect' : 'no effect'}</span>
          </td>
          <td class="wide foreign">{attack.proof}</td>
        </AttackRow>
      ))}
    </ScrollTable>
  );
}

function AttackRow({ attack, children }: { readonly attack: StartedAttack; readonly children: ComponentChildren }): JSX.Element {
  const values = Object.entries(attack.arguments ?? {}).map(([name, value]) => `${name}=${value}`);
  return (
    <tr>
      <td>{attack.attack}</td>
      <td>{attack.target}</td>
      <td>
        <bdi>{values.length === 0 ? '–' : values.join(' ')}</bdi>
      </td>
      <td>
        <Moment at={attack.beganAt} />
      </td>
      <td class="number">{attack.seconds}</td>
      {children}
    </tr>
  );
}
