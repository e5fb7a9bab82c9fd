import type { ElementError } from '../errors.ts';
import { within } from '../within.ts';

type Lazy = typeof import('../lazy/index.ts');

/**
 * The chunk's own name. Only the build for script tags knows it; elsewhere the merchant's bundler loads the chunk, and
 * has its own way of retrying.
 */
declare const LAZY_CHUNK: string | undefined;

let failures = 0;
/** The last failure of the import itself; what is thrown later is a fault of the code that was loaded. */
let notImported: unknown;

/**
 * All that is not needed to show a button. A failure can be tried again: browsers until 2026 remember it for as long as
 * the page lives, but only under the same address.
 */
export async function loadLazy(): Promise<Lazy> {
  try {
    if (failures && typeof LAZY_CHUNK === 'string') return await within(import(`${LAZY_CHUNK}?retry=${failures}`));
    return await within(import('../lazy/index.ts'));
  } catch (error) {
    failures++;
    notImported = error;
    throw error;
  }
}

/**
 * The messages of browsers (Chromium and Firefox, Safari) and bundlers (webpack and its like, Vite) when a module could
 * not be fetched, and ours where it never came. An import can also fail because the module throws, which is a fault and
 * not the network's.
 */
const NOT_FETCHED = /dynamically|module script|chunk|preload|within/i;

/**
 * Why the rest could not be loaded. The console gets the cause: a failed import has many, and the browser shows none
 * of them.
 */
export function failureOf(cause: unknown): Failure {
  console.error('finix-bank-connect: could not start', cause);
  const isFetch = cause === notImported && NOT_FETCHED.test(String(cause));
  return {
    code: isFetch ? (navigator.onLine ? 'network_failed' : 'offline') : 'internal_error',
    action: isFetch ? 'retry' : 'contact_merchant',
    retryable: isFetch,
    requestId: null,
    linkSessionId: null,
    institution: null,
  };
}

/** There was no request, and no Link. */
type Failure = Omit<ElementError, 'message'>;
