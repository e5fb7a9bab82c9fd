/** What the demo's server records and the panel shows: one vocabulary for both. */

/** Where Plaid and Finix are: on this machine, the real sandboxes, or in the page itself. */
export type Mode = 'simulator' | 'sandboxes' | 'static';

/** Where something happens. `shop` is the merchant's own server, `connect` the server of this product. */
export type Place = 'browser' | 'shop' | 'connect' | 'plaid' | 'finix';

export const MERCHANTS = ['coffee', 'rent', 'payout'] as const;
export type MerchantKey = (typeof MERCHANTS)[number];

/** One half of a call, with every secret masked. */
export interface Message {
  headers: Record<string, string>;
  body: unknown;
}

/**
 * Something that happened: a call that went over the wire, an action in Link, an event at the bank, or the end of a
 * process.
 */
export interface Step {
  id: number;
  /** Milliseconds since the visit began. */
  at: number;
  merchant: MerchantKey;
  kind: 'call' | 'link' | 'bank' | 'process';
  from: Place;
  to: Place;
  /** `POST /v1/sessions/{id}/complete`, `institution chosen`, `revoke`, `killed`. */
  what: string;
  /** HTTP status; null: no answer came. Left out while the call is on its way, and where there is no call. */
  status?: number | null;
  /** From the request to the answer. */
  ms?: number;
  request?: Message;
  response?: Message;
  /** What the words need beyond the messages: a bank's name, a process id. */
  facts?: Record<string, string>;
}

/** Where one merchant's customer is, for the buttons of the presenter and the state of the page. */
export interface StoryState {
  merchant: MerchantKey;
  scenario: string;
  /** Of the connection, as the merchant's server last saw it; null: none yet. */
  connection: { id: string; status: string; bank: string; instrument: string | null } | null;
  order: { id: string; state: OrderState } | null;
  /** A repair link for another device, once it was asked for. */
  link: { url: string; qr: string } | null;
  /** The process is killed when Finix is asked for the payment instrument. */
  isKillArmed: boolean;
}

/**
 * `held`: the check did not say yes, or the bank has yet to confirm the account, so that nothing was debited.
 * `stopped`: the check said no. `sent`: a transfer exists. `returned`: the bank returned it.
 */
export type OrderState = 'held' | 'stopped' | 'sent' | 'returned';

/** What a presenter can make happen, each by one press. */
export const ACTIONS = [
  'return_R01',
  'return_R03',
  'return_R10',
  'break_login',
  'repair_link',
  'revoke',
  'debit_again',
] as const;
export type Action = (typeof ACTIONS)[number];

/**
 * A payout takes no money out of the account, and needs no permission to: it is returned only where there is no
 * account.
 */
export function canReturn(merchant: MerchantKey, action: Action): boolean {
  return merchant !== 'payout' || (action !== 'return_R01' && action !== 'return_R10');
}
