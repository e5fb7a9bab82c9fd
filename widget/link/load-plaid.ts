import { ConnectError, flowError, report } from '../errors.ts';
import { page } from './page-state.ts';
import type { PlaidGlobal } from './plaid-link.types.ts';

/** Plaid allows no other address, and no copy. It is not versioned, so there is no hash to check it by. */
export const LINK_SCRIPT = 'https://cdn.plaid.com/link/v2/stable/link-initialize.js';

// A slow 3G line brings the script in about 6 s; after 15 s a sentence and a button serve the customer better.
const SCRIPT_TIMEOUT = 15_000;
// A script tag of the page's own may have loaded or failed before, and then fires no event: the global is looked for as
// often as this.
const POLL_INTERVAL = 50;
// Without a scheme, or with a query, it is the same script. One of another type is kept from running, until the
// customer has agreed to something, and would never be there.
const RUNS = ':is(:not([type]),[type=""],[type=module],[type$=javascript])';
const PAGES_OWN = `script[src*="${LINK_SCRIPT.slice('https:'.length)}"]${RUNS}`;
const POLICY = 'finix-bank-connect';

export interface LoadOptions {
  nonce?: string;
  /** Milliseconds. */
  timeout?: number;
}

/**
 * Link's script, once per page. A `window.Plaid` that is already there wins, then a script tag that is already there. A
 * failure is forgotten and its tag removed, so that the next call tries again.
 * @throws ConnectError `script_blocked`, or `offline`
 */
export async function loadPlaid(options: LoadOptions = {}): Promise<PlaidGlobal> {
  const plaid = presentPlaid();
  if (plaid) return plaid;
  page.script ??= waitForScript(options);
  const { script } = page;
  try {
    return await script;
  } finally {
    if (page.script === script) page.script = undefined;
  }
}

/** Not an element of the page with `id="Plaid"`, which browsers make a global, too. */
function presentPlaid(): PlaidGlobal | null {
  const { Plaid } = globalThis;
  return typeof Plaid?.create === 'function' ? Plaid : null;
}

function waitForScript({ nonce, timeout = SCRIPT_TIMEOUT }: LoadOptions): Promise<PlaidGlobal> {
  const existing = document.querySelector<HTMLScriptElement>(PAGES_OWN);
  const script = existing ?? createTag(nonce);
  return new Promise((resolve, reject) => {
    const look = () => {
      const plaid = presentPlaid();
      if (!plaid) return;
      stop();
      resolve(plaid);
    };
    const fail = () => {
      stop();
      script.parentNode?.removeChild(script);
      reject(new ConnectError(flowError(navigator.onLine ? 'script_blocked' : 'offline', 'retry')));
    };
    const stop = () => {
      clearInterval(poll);
      clearTimeout(timer);
      script.removeEventListener('error', fail);
    };
    const poll = setInterval(look, POLL_INTERVAL);
    const timer = setTimeout(fail, timeout);
    script.addEventListener('load', look, { once: true });
    script.addEventListener('error', fail);
    if (!existing) document.head.append(script);
  });
}

function createTag(nonce?: string): HTMLScriptElement {
  const script = document.createElement('script');
  if (nonce) script.nonce = nonce;
  script.async = true;
  script.src = scriptAddress();
  return script;
}

/**
 * Under `require-trusted-types-for 'script'` only a policy may name a script. This one gives the same address for every
 * other. A page that lists the names of policies must list it, or the browser refuses to create it.
 * @throws ConnectError `script_blocked`
 */
function scriptAddress(): string {
  const factory = (globalThis as { trustedTypes?: { createPolicy(name: string, rules: object): typeof page.policy } })
    .trustedTypes;
  try {
    page.policy ??= factory?.createPolicy(POLICY, { createScriptURL: () => LINK_SCRIPT });
  } catch (cause) {
    report(`add "${POLICY}" to the trusted-types directive of the page's policy`, cause);
    throw new ConnectError(flowError('script_blocked', 'retry'), { cause });
  }
  return (page.policy?.createScriptURL(LINK_SCRIPT) as string | undefined) ?? LINK_SCRIPT;
}
