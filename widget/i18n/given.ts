import type { Strings } from './index.ts';

/** The page's own texts. One that it has left out, or not yet, is ours. */
export function given(strings: Partial<Strings> | null): Partial<Strings> {
  return Object.fromEntries(Object.entries(strings ?? {}).filter(([, text]) => text !== undefined && text !== null));
}
