import { FinixBankConnect } from './finix-bank-connect.ts';

export const TAG = 'finix-bank-connect';

/**
 * Registers the tag. Leaves an earlier registration alone: the first one on a page wins. On a server there is a
 * registry only where a renderer has brought one, and no support floor. Below the floor, which unit tests' DOMs are as
 * well, the tag shows its `fallback` slot alone: never a control that can't work.
 */
export function define(): void {
  const registry = globalThis.customElements;
  if (!registry) return;
  const earlier = registry.get(TAG);
  if (!earlier && (isServer || isSupported())) {
    registry.define(TAG, FinixBankConnect);
  } else if (!earlier) {
    registry.define(TAG, fallbackOnly());
    console.warn(`${TAG}: needs a newer browser`);
  } else if (earlier !== FinixBankConnect && isSupported()) {
    console.warn(`${TAG}: defined twice; the first counts`);
  }
}

/** Without this there is no element to extend, and nothing to show. */
const isServer = typeof document === 'undefined';

/**
 * What the element can't do without: a form value of its own, questions in a dialog, the customer's approach, and a
 * language as old as the floor. Chromium had the rest long before it.
 */
function isSupported(): boolean {
  const { ElementInternals, HTMLDialogElement, IntersectionObserver } = globalThis as Partial<typeof globalThis>;
  const isNewEnough = 'at' in Array.prototype && 'hasOwn' in Object;
  return !!(
    isNewEnough &&
    ElementInternals?.prototype.setFormValue &&
    HTMLDialogElement?.prototype.showModal &&
    IntersectionObserver
  );
}

function fallbackOnly(): CustomElementConstructor {
  return class extends HTMLElement {
    constructor() {
      super();
      const slot = document.createElement('slot');
      slot.name = 'fallback';
      this.attachShadow({ mode: 'open' }).append(slot);
    }
  };
}
