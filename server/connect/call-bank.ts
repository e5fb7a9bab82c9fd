import { UpstreamError } from '../clients/outbound.ts';
import { isBankDown, problemOfPlaidRefusal } from '../clients/plaid-codes.ts';
import { Stop } from '../work/retry.ts';

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
