/** The messages to the page's console, which does not show them; `stop` gives the console back. */
export function listenToConsole(): { readonly lines: string[]; readonly causes: unknown[]; stop(): void } {
  const { error, warn } = console;
  const lines: string[] = [];
  const causes: unknown[] = [];
  const listen = (text: unknown, ...more: unknown[]) => {
    lines.push(String(text));
    causes.push(...more);
  };
  Object.assign(console, { error: listen, warn: listen });
  return {
    lines,
    causes,
    stop: () => Object.assign(console, { error, warn }),
  };
}
