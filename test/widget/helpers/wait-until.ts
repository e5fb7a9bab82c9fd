import { waitUntil as waitFor } from '@open-wc/testing';

/**
 * Just less than the runner gives a test, so that what was missing is named. The library's own is a second: a busy
 * machine's frame.
 */
const PATIENCE_MS = 9_000;

/** Waits for a condition in the page. @param missing what there is none of when it fails */
export function waitUntil(condition: () => unknown, missing?: string): Promise<void> {
  return waitFor(condition, missing, { timeout: PATIENCE_MS });
}
