import type { ElementProperties } from '../element/properties.ts';
import { oneOf } from '../errors.ts';
import type { ConnectController } from '../flow/controller.ts';

/**
 * What a bank's page comes back to goes on with the session of before, and so does what the customer has begun in a
 * public session. The page's own secret may come later, as from an effect, and is kept for the next need: it neither
 * takes Link from the customer nor the bank that they connect.
 */
interface Returned {
  /** The page has another session than the one that goes on. */
  hasOther: boolean;
  /** It has set one since. */
  isSet: boolean;
  isDone: boolean;
}

const returned = new WeakMap<object, Returned>();

/** The element goes on with the session of this secret. */
export function beginReturned(element: object, clientSecret: string): void {
  const own = secretOf(element as Partial<ElementProperties>);
  returned.set(element, { hasOther: own !== '' && own !== clientSecret, isSet: false, isDone: false });
}

/**
 * The page has set another session or person.
 * @param isInUse the customer is connecting a bank in a public session
 * @returns whether that has to wait
 */
export function keepsSession(element: ElementProperties, isInUse: boolean): boolean {
  if (isInUse && !returned.has(element)) returned.set(element, { hasOther: true, isSet: true, isDone: false });
  const state = returned.get(element);
  // The second one after the bank is connected is not late but another start.
  if (!state || (state.isDone && state.isSet)) return false;
  state.hasOther = true;
  state.isSet = true;
  return true;
}

/** After each rendering: where what the return began has ended, the page's own session is next. */
export function followReturned(element: ElementProperties, controller: ConnectController): void {
  const state = returned.get(element);
  const { phase, wanted, renewable } = controller.state;
  if (!state) return;
  if (phase === 'done') {
    state.isDone = true;
    // So that "Change" leads to it.
    if (state.hasOther && !renewable) controller.dispatch({ type: 'start', known: false, renewable: true });
    return;
  }
  const isEnded = oneOf(phase, 'rest', 'failed') && !wanted;
  if (!state.isDone && !isEnded) return;
  returned.delete(element);
  if (!state.hasOther) return;
  if (!state.isDone) controller.asker.leave();
  const isRenewable = !!element.fetchClientSecret || !secretOf(element);
  controller.dispatch({ type: 'start', known: false, renewable: isRenewable });
  // What is prepared is the old one's.
  if (!state.isDone) controller.dispatch({ type: 'outdated' });
}

function secretOf({ clientSecret }: Partial<ElementProperties>): string {
  return String(clientSecret ?? '').trim();
}
