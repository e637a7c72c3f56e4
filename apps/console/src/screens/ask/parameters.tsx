import type { JSX } from 'preact';
import type { TabParameter } from './tabs.ts';

export interface ParametersProps {
  readonly values: readonly TabParameter[];
  readonly onChange: (values: readonly TabParameter[]) => void;
}

const types = { text: 'text', number: 'number', boolean: 'boolean', null: 'NULL' } as const;

/** A typed value for each `?` of the statement. */
export function Parameters({ values, onChange }: ParametersProps): JSX.Element {
  const change = (at: number, part: Partial<TabParameter>): void =>
    onChange(values.map((value, n) => (n === at ? { ...value, ...part } : value)));
  return (
    <div class="parameters" role="group" aria-label="Parameters">
      {values.map(({ type, text }, n) => (
        <div key={n} class="pair">
          {type === 'boolean' ? (
            <select
              aria-label={`Value ${n + 1}`}
              value={text === 'true' ? 'true' : 'false'}
              onChange={({ currentTarget }) => change(n, { text: currentTarget.value })}
            >
              <option>true</option>
              <option>false</option>
            </select>
          ) : (
            <input
              aria-label={`Value ${n + 1}`}
              placeholder={`Value of ? number ${n + 1}`}
              value={type === 'null' ? '' : text}
              disabled={type === 'null'}
              inputMode={type === 'number' ? 'decimal' : 'text'}
              onInput={({ currentTarget }) => change(n, { text: currentTarget.value })}
            />
          )}
          <select
            aria-label={`Type of value ${n + 1}`}
            value={type}
            onChange={({ currentTarget }) => change(n, { type: currentTarget.value as TabParameter['type'] })}
          >
            {Object.entries(types).map(([name, label]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
          <button type="button" aria-label={`Remove value ${n + 1}`} onClick={() => onChange(values.filter((_value, at) => at !== n))}>
            ×
          </button>
        </div>
      ))}
      <div>
        <button type="button" onClick={() => onChange([...values, { type: 'text', text: '' }])}>
          Add a value for ?
        </button>
      </div>
    </div>
  );
}
