/**
 * Everything that is not needed to show a button: loaded when the customer comes near, in addition to Plaid's own
 * script, which is many times larger.
 */
export { ElementCore } from './element-core.ts';
