import type { ComponentChildren, JSX } from 'preact';
import { LiveControl, type LiveControlProps } from './live-control.tsx';

export interface LiveHeadingProps extends LiveControlProps {
  readonly title: ComponentChildren;
  /** Shown beside the title. */
  readonly children?: ComponentChildren;
}

/** The heading of a screen that refreshes. */
export function LiveHeading({ title, children, ...live }: LiveHeadingProps): JSX.Element {
  return (
    <div class="heading">
      <h1>{title}</h1>
      {children}
      <div class="end">
        <LiveControl {...live} />
      </div>
    </div>
  );
}
