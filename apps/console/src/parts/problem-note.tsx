import type { JSX } from 'preact';
import { problemOfError } from '../api/errors.ts';

/** Shows an error as text: what failed, and the remedy. Without an error it shows nothing. */
export function ProblemNote({ error }: { readonly error: unknown }): JSX.Element | null {
  if (error === undefined) return null;
  const { title, detail } = problemOfError(error);
  return (
    <div class="note bad" role="alert">
      <p>
        <strong>
          <bdi>{title}</bdi>
        </strong>
      </p>
      {detail === undefined ? null : (
        <p>
          <bdi>{detail}</bdi>
        </p>
      )}
    </div>
  );
}
