import { UpstreamError } from '../clients/outbound.ts';
import { isBankDown, problemOfPlaidRefusal } from '../clients/plaid-codes.ts';
import { Postpone, Stop } from '../work/retry.ts';
import { TIMING } from '../work/timing.ts';

/**
 * A call that reaches the bank while its customer waits. A bank that is down for hours ends the wait: the Item is kept,
 * the same public token may come again.
 * @throws Stop when the customer has to go on; UpstreamError when it is to be tried again
 */
export async function callBank<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    if (isBankDown(error.code)) throw new Stop('open', 'bank_unavailable');
    if (error.failure !== 'refused') throw error;
    const code = problemOfPlaidRefusal(error.code);
    throw new Stop(code === 'restart_required' ? 'restart_required' : 'open', code);
  }
}

/** What an upstream's failure means for the work as a whole: everything that is not a definite no is tried again. */
export function postponementOf(error: UpstreamError): Postpone {
  const { retryAfter } = error.details;
  // An upstream that names hours may be well in minutes; asking then costs one call.
  const delay = retryAfter === undefined ? undefined : Math.min(retryAfter * 1000, TIMING.slowCapMs);
  if (error.failure === 'misconfigured') return new Postpone('provider_misconfigured', delay);
  if (isBankDown(error.code)) return new Postpone('bank_unavailable', delay);
  return new Postpone(error.service === 'plaid' ? 'plaid_unavailable' : 'finix_unavailable', delay);
}
