/**
 * How much longer a test waits than it would have to on an idle machine with two cores. TEST_PATIENCE sets it; on a
 * machine that runs other things too, as one of continuous integration does, it is 3 when it is not set.
 */
const patience = Number(process.env.TEST_PATIENCE ?? (process.env.CI ? 3 : 1));
if (!(patience > 0)) throw new Error('TEST_PATIENCE must be a number greater than 0.');

/**
 * A time for a test to wait for a condition, or for a call to answer. It bounds a failure and is no delay of a success,
 * so it may be generous.
 * @param {number} ms on an idle machine
 */
export function patient(ms) {
  return Math.ceil(ms * patience);
}
