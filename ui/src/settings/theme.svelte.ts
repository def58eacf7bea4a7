// Light, dark, or as the computer has it. One attribute on the root; kept in memory only.

export type Theme = 'system' | 'light' | 'dark';

export const look: { theme: Theme } = $state({ theme: 'system' });

export function setTheme(theme: Theme): void {
  look.theme = theme;
  if (theme === 'system') document.documentElement.removeAttribute('data-theme');
  else document.documentElement.setAttribute('data-theme', theme);
}
