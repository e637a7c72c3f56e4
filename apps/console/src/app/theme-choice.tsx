import type { JSX } from 'preact';
import { chooseTheme, theme, themes } from './theme.ts';

const labels = { system: 'Auto', light: 'Light', dark: 'Dark' } as const;

/** Chooses between the theme of the device, light and dark. */
export function ThemeChoice(): JSX.Element {
  return (
    <div class="segments" role="group" aria-label="Theme">
      {themes.map((name) => (
        <button key={name} type="button" aria-pressed={theme.value === name} onClick={() => chooseTheme(name)}>
          {labels[name]}
        </button>
      ))}
    </div>
  );
}
