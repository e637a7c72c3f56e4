import { signal } from '@preact/signals';

/** `system` follows the setting of the device. */
export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const key = 'millrace-theme';

export const theme = signal<Theme>(readTheme());

/** Shows the theme that was chosen last. */
export function applyTheme(): void {
  chooseTheme(theme.value);
}

/** Shows a theme and remembers it in this browser. */
export function chooseTheme(chosen: Theme): void {
  theme.value = chosen;
  document.documentElement.dataset['theme'] = chosen;
  localStorage.setItem(key, chosen);
}

function readTheme(): Theme {
  const kept = localStorage.getItem(key);
  return themes.find((name) => name === kept) ?? 'system';
}
