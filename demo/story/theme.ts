/**
 * Light or dark, for this page and the one in the frame. Kept in a cookie, so that the next page comes in the right
 * colors at once.
 */
export function keepTheme(button: HTMLElement, frame: HTMLIFrameElement): void {
  const root = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  const isDark = () => root.dataset['theme'] === 'dark' || (root.dataset['theme'] !== 'light' && system.matches);
  const show = () => {
    root.dataset['scheme'] = isDark() ? 'dark' : 'light';
    button.setAttribute('aria-label', `Switch to ${isDark() ? 'light' : 'dark'} colors`);
    const page = frame.contentDocument?.documentElement;
    if (page && root.dataset['theme'] !== 'auto') page.dataset['theme'] = root.dataset['theme'];
  };
  button.addEventListener('click', () => {
    const theme = isDark() ? 'light' : 'dark';
    root.dataset['theme'] = theme;
    const headers = { 'Content-Type': 'application/json' };
    void fetch('/api/theme', { method: 'POST', headers, body: JSON.stringify({ theme }) });
    show();
  });
  system.addEventListener('change', show);
  frame.addEventListener('load', show);
  show();
}
