import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

/** An attack as the user asks for it. */
export interface AskedAttack {
  readonly attack: string;
  readonly target: string;
  readonly seconds: number;
  /** Pairs such as `latencyMs=500`. */
  readonly values: string;
}

export interface AttackFormProps {
  readonly attacks: readonly string[];
  readonly targets: readonly string[];
  readonly onStart: (asked: AskedAttack) => void;
}

/** Chooses an attack, its target and its time. The endpoint checks them. */
export function AttackForm({ attacks, targets, onStart }: AttackFormProps): JSX.Element {
  const [asked, setAsked] = useState<AskedAttack>({ attack: attacks[0] ?? '', target: targets[0] ?? '', seconds: 20, values: '' });
  const submit = (event: Event): void => {
    event.preventDefault();
    onStart(asked);
  };
  return (
    <form class="row" onSubmit={submit}>
      <Choice label="Attack" value={asked.attack} names={attacks} onChange={(attack) => setAsked({ ...asked, attack })} />
      <Choice label="Target" value={asked.target} names={targets} onChange={(target) => setAsked({ ...asked, target })} />
      <label class="row small">
        Seconds
        <input
          type="number"
          min={1}
          max={60}
          required
          value={asked.seconds}
          onInput={({ currentTarget }) => setAsked({ ...asked, seconds: currentTarget.valueAsNumber })}
        />
      </label>
      <label class="row small">
        Values
        <input
          placeholder="latencyMs=500"
          spellcheck={false}
          value={asked.values}
          onInput={({ currentTarget }) => setAsked({ ...asked, values: currentTarget.value })}
        />
      </label>
      <button type="submit" class="danger">
        Start
      </button>
    </form>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly names: readonly string[];
  readonly onChange: (name: string) => void;
}

function Choice({ label, value, names, onChange }: ChoiceProps): JSX.Element {
  return (
    <label class="row small">
      {label}
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {names.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}
