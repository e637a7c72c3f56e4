import type { JSX } from 'preact';

/** Fewest characters of a reason, spaces around it left out. */
export const reasonCharactersMin = 3;

interface Props {
  readonly reason: string;
  readonly onReason: (reason: string) => void;
}

/** The field for the reason of an action that goes to the audit log. */
export function ReasonField({ reason, onReason }: Props): JSX.Element {
  return (
    <div class="field">
      <label for="reason">Reason, for the audit log</label>
      <input
        id="reason"
        required
        minLength={reasonCharactersMin}
        maxLength={500}
        value={reason}
        onInput={({ currentTarget }) => onReason(currentTarget.value)}
      />
    </div>
  );
}
