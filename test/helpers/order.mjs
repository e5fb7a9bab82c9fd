// The order of the test files, and how often a failed test is run again: for both runners, whose configurations import
// it in Node as it is.
import { createHash } from 'node:crypto';

const { TEST_SEED: seed, TEST_RETRIES, CI } = process.env;

/** Whether TEST_SEED asks for an order of its own. */
export const isShuffled = Boolean(seed);

/**
 * On a shared machine a test with real processes can be starved once; twice in a row it is a defect. Each retry is
 * reported. TEST_RETRIES sets another number: with 0, nothing hides behind a retry.
 */
export const retries = Number(TEST_RETRIES ?? (CI ? 1 : 0));
if (!Number.isInteger(retries) || retries < 0) throw new Error('TEST_RETRIES must be a whole number, 0 or more.');

/**
 * What to sort files by, for the order that TEST_SEED stands for: another one with each seed, and the same on every
 * machine.
 * @param {string} name of a file, relative to the project
 * @returns {string}
 */
export function shuffleKey(name) {
  return createHash('sha256').update(`${seed} ${name}`).digest('hex');
}
