import type { PlaidGlobal } from './plaid-link.types.ts';

/** Plaid does not support its script twice on a page, and shows one Link at a time. */
interface PageState {
  script?: Promise<PlaidGlobal>;
  policy?: { createScriptURL(url: string): unknown };
  /** Of the Link that is open. */
  open?: object;
}

/** Shared by all copies of this package on the page. */
export const page = (() => {
  const key = Symbol.for('finix-bank-connect');
  const all = globalThis as unknown as Record<symbol, PageState | undefined>;
  all[key] ??= {};
  return all[key];
})();

/** Whether any Link is open on this page, also one of another copy of this package. */
export function isLinkOpen(): boolean {
  return !!page.open;
}
