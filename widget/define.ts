import { FinixBankConnect } from './finix-bank-connect.ts';

export const TAG = 'finix-bank-connect';

/** Registers the tag. Does nothing on a server, and leaves an earlier registration alone: the first one on a page wins. */
export function define(): void {
  const registry = globalThis.customElements;
  if (!registry) return;
  const earlier = registry.get(TAG);
  if (!earlier) registry.define(TAG, FinixBankConnect);
  else if (earlier !== FinixBankConnect)
    console.warn(`<${TAG}> is defined twice on this page; the first definition is used`);
}
