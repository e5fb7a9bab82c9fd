import type { Check } from '../../widget/contract.ts';
import type { OrderState } from '../step.ts';

/** A purchase, a rent, a payout, and each attempt to move its money. */
export interface Order {
  id: string;
  connection: string;
  bank: string;
  state: OrderState;
  /** Of the latest attempt. */
  check: Pick<Check, 'decision' | 'reasons'> | null;
  transfer: string | null;
  /** Attempts so far: each has an idempotency id of its own, which its repetitions share. */
  attempts: number;
  /** The return code of the transfer that came back. */
  returned: string | null;
  /** Why the money was not moved, although the check said yes; null: it was. */
  problem: string | null;
}

/**
 * The bank has yet to confirm the account, or the instrument does not exist yet: the money moves when the connection is
 * ready.
 */
export function isUnconfirmed({ check }: Order): boolean {
  return check?.reasons.some(({ code }) => code === 'not_active') === true;
}
