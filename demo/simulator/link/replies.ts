import { plaidErrorObject } from '../plaid/errors.ts';
import type { LinkAccount, SimulatedAccount } from '../state.ts';

/** What the frame is to show next. `retry`: the same pane, with the error; `expired`: leave at once. */
export type Next =
  | 'consent'
  | 'institutions'
  | 'retry'
  | 'oauth'
  | 'credentials'
  | 'code'
  | 'accounts'
  | 'success'
  | 'error'
  | 'expired';

export interface Reply {
  next: Next;
  error?: Record<string, unknown>;
  [detail: string]: unknown;
}

export const fail = (next: 'error' | 'retry' | 'expired', code: string): Reply => ({
  next,
  error: plaidErrorObject(code),
});

/** As `onSuccess` has it. */
export function linkAccount(account: SimulatedAccount): LinkAccount {
  return {
    id: account.account_id,
    name: account.name,
    mask: account.mask,
    type: account.type,
    subtype: account.subtype,
    verification_status: account.verification_status ?? null,
    class_type: null,
  };
}
