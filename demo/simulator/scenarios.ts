import {
  type AccountTemplate,
  account,
  CD,
  CHECKING,
  CREDIT_CARD,
  MONEY_MARKET,
  PENDING,
  SAVINGS,
  STUDENT_LOAN,
} from './account-templates.ts';
import type { FaultRule } from './types.ts';

/** Where Link shows an error to a user, and which. */
export interface LinkTrouble {
  error_code: string;
  /** `expired`: Link closes at once, as it does with a link token that is over. `pane`: an error pane, then exit. */
  shown: 'pane' | 'expired';
}

export interface Scenario {
  /** What to type as user name in Link, or to send as `override_username`. */
  username: string;
  title: string;
  /** One sentence, for lists of scenarios. */
  description: string;
  accounts: readonly AccountTemplate[];
  owner: string;
  /** The Item needs a new login at once; update mode repairs it. */
  loginRequired?: boolean;
  /** Trouble inside Link, after the credentials. */
  link?: LinkTrouble;
  /** Trouble at the providers, only for this user's Items; each Item counts for itself. */
  faults?: readonly FaultRule[];
  /** What happens at the bank some time after the exchange (`settings.laterMs`). */
  later?: Later;
  /** How the webhooks of this user's Items are sent, instead of the usual way. */
  webhooks?: { copies?: number; delayMs?: number };
}

/** `disordered`: the login breaks and is repaired, and the webhooks come the other way round. */
export type Later =
  | 'verified'
  | 'verification_expired'
  | 'broken'
  | 'disordered'
  | 'revoked'
  | 'account_revoked'
  | 'account_opened'
  | 'numbers_withheld'
  | 'disabled'
  | 'renumbered'
  | 'disconnecting';

const OWNER = 'Alberta Bobbeth Charleson';

/** The one table of scenarios. `demo` pages list it, Link's panes hint at it, and README.md repeats it. */
export const SCENARIOS: readonly Scenario[] = [
  {
    username: 'user_good',
    title: 'Happy path',
    description: 'Checking, savings and four accounts that cannot be debited; everything works.',
    accounts: [CHECKING, SAVINGS, CD, CREDIT_CARD, MONEY_MARKET, STUDENT_LOAN],
    owner: OWNER,
  },
  {
    username: 'user_one_account',
    title: 'One account',
    description: 'A single checking account, so that nothing has to be chosen.',
    accounts: [account('Everyday Checking', '5010', 'checking')],
    owner: OWNER,
  },
  {
    username: 'user_several',
    title: 'Several accounts',
    description: 'Two checking, one savings and one cash management account, all of which can be debited.',
    accounts: [
      account('Household Checking', '6001', 'checking', { current: 1824.1, available: 1770.05 }),
      account('Bills Checking', '6002', 'checking', { current: 640, available: 640 }),
      account('Rainy Day Savings', '6003', 'savings', { current: 12400, available: 12400 }),
      account('Cash Management', '6004', 'cash management', { current: 3055.55, available: 3055.55 }),
    ],
    owner: 'Marcus Vale',
  },
  {
    username: 'user_bank_down',
    title: 'Bank is down',
    description: 'The bank does not answer, and Link says so.',
    accounts: [CHECKING],
    owner: OWNER,
    link: { error_code: 'INSTITUTION_DOWN', shown: 'pane' },
  },
  {
    username: 'user_down_after_link',
    title: 'Bank goes down after Link',
    description: 'Link succeeds, then reading the accounts says INSTITUTION_DOWN.',
    accounts: [CHECKING],
    owner: OWNER,
    faults: [{ service: 'plaid', path: '/accounts/get', kind: 'plaid_error', error_code: 'INSTITUTION_DOWN' }],
  },
  {
    username: 'user_login_required',
    title: 'Login required',
    description:
      'The login is no longer good right after Link: ITEM_LOGIN_REQUIRED until it is repaired in update mode.',
    accounts: [CHECKING],
    owner: OWNER,
    loginRequired: true,
  },
  {
    username: 'user_rate_limited',
    title: 'Rate limited',
    description: 'Reading the accounts and making the processor token are refused with 429, twice and once.',
    accounts: [CHECKING],
    owner: OWNER,
    faults: [
      { service: 'plaid', path: '/accounts/get', kind: 'plaid_error', error_code: 'ACCOUNTS_LIMIT', times: 2 },
      { service: 'plaid', path: '/processor/token/create', kind: 'plaid_error', error_code: 'RATE_LIMIT', times: 1 },
    ],
  },
  {
    username: 'user_slow',
    title: 'Slow providers',
    description: 'The exchange, the accounts, the processor token and the payment instrument take two seconds each.',
    accounts: [CHECKING],
    owner: OWNER,
    faults: [
      { service: 'plaid', path: '/item/public_token/exchange', kind: 'delay', delayMs: 2000, times: 1 },
      { service: 'plaid', path: '/accounts/get', kind: 'delay', delayMs: 2000, times: 1 },
      { service: 'plaid', path: '/processor/token/create', kind: 'delay', delayMs: 2000, times: 1 },
      { service: 'finix', path: '/payment_instruments', method: 'POST', kind: 'delay', delayMs: 2000, times: 1 },
    ],
  },
  {
    username: 'user_timeout_after_commit',
    title: 'Finix goes silent',
    description: 'Finix makes the payment instrument, but its answer never arrives.',
    accounts: [CHECKING],
    owner: OWNER,
    faults: [
      { service: 'finix', path: '/payment_instruments', method: 'POST', kind: 'timeout', when: 'after', times: 1 },
    ],
  },
  {
    username: 'user_finix_refuses',
    title: 'Finix refuses',
    description: 'Finix refuses to make a payment instrument of the account.',
    accounts: [CHECKING],
    owner: OWNER,
    faults: [
      {
        service: 'finix',
        path: '/payment_instruments',
        method: 'POST',
        kind: 'finix_error',
        error_code: 'INVALID_FIELD',
        field: 'third_party_token',
        error_message: 'The bank account could not be used.',
      },
    ],
  },
  {
    username: 'user_pending_verification',
    title: 'Pending verification',
    description: 'The account is still being verified by small deposits, so its numbers are not ready.',
    accounts: [PENDING],
    owner: OWNER,
  },
  {
    username: 'user_no_accounts',
    title: 'No accounts',
    description: 'The login works, but there is no account behind it: NO_ACCOUNTS.',
    accounts: [],
    owner: OWNER,
  },
  {
    username: 'user_ineligible',
    title: 'No suitable account',
    description: 'Only a credit card and a loan, neither of which can be debited: NO_AUTH_ACCOUNTS in Link.',
    accounts: [CREDIT_CARD, STUDENT_LOAN],
    owner: OWNER,
  },
  {
    username: 'user_spent_token',
    title: 'Spent token',
    description: 'Link succeeds, but its public token is refused at the exchange.',
    accounts: [CHECKING],
    owner: OWNER,
    faults: [
      {
        service: 'plaid',
        path: '/item/public_token/exchange',
        kind: 'plaid_error',
        error_code: 'INVALID_PUBLIC_TOKEN',
        error_message: 'could not find matching public token',
      },
    ],
  },
  {
    username: 'user_link_token_expired',
    title: 'Link token expired',
    description: 'Link closes with INVALID_LINK_TOKEN after the login, as it does when a customer takes too long.',
    accounts: [CHECKING],
    owner: OWNER,
    link: { error_code: 'INVALID_LINK_TOKEN', shown: 'expired' },
  },
  {
    username: 'user_verified_later',
    title: 'Verified later',
    description: 'Pending verification, then the small deposits arrive: AUTOMATICALLY_VERIFIED by webhook.',
    accounts: [PENDING],
    owner: OWNER,
    later: 'verified',
  },
  {
    username: 'user_verification_expires',
    title: 'Verification expires',
    description: 'Pending verification, then nobody confirms it in time: VERIFICATION_EXPIRED by webhook.',
    accounts: [PENDING],
    owner: OWNER,
    later: 'verification_expired',
  },
  {
    username: 'user_broken_later',
    title: 'Login breaks later',
    description: 'Everything works, then the login is no longer good: ERROR by webhook, and update mode repairs it.',
    accounts: [CHECKING],
    owner: OWNER,
    later: 'broken',
  },
  {
    username: 'user_disconnecting_later',
    title: 'Consent ends soon',
    description: 'Everything works, then the consent is about to end in a week: PENDING_DISCONNECT by webhook.',
    accounts: [CHECKING],
    owner: OWNER,
    later: 'disconnecting',
  },
  {
    username: 'user_revoked_later',
    title: 'Revoked later',
    description: 'Everything works, then the customer takes the permission back: USER_PERMISSION_REVOKED by webhook.',
    accounts: [CHECKING],
    owner: OWNER,
    later: 'revoked',
  },
  {
    username: 'user_account_revoked_later',
    title: 'Account revoked later',
    description: 'Everything works, then the customer takes one account back: USER_ACCOUNT_REVOKED by webhook.',
    accounts: [CHECKING, SAVINGS],
    owner: OWNER,
    later: 'account_revoked',
  },
  {
    username: 'user_account_opened_later',
    title: 'Account opened later',
    description: 'Everything works, then the customer opens another account: NEW_ACCOUNTS_AVAILABLE by webhook.',
    accounts: [CHECKING],
    owner: OWNER,
    later: 'account_opened',
  },
  {
    username: 'user_numbers_withheld_later',
    title: 'Numbers withheld later',
    description:
      'Everything works, then the account numbers are no longer shared: PRODUCT_PERMISSIONS_REQUIRED by webhook.',
    accounts: [CHECKING],
    owner: OWNER,
    later: 'numbers_withheld',
  },
  {
    username: 'user_disabled_later',
    title: 'Disabled in Finix later',
    description: 'Everything works, then somebody disables the payment instrument in Finix: its webhook says so.',
    accounts: [CHECKING],
    owner: OWNER,
    later: 'disabled',
  },
  {
    username: 'user_renumbered_later',
    title: 'New numbers later',
    description: 'Everything works, then the account gets another number: DEFAULT_UPDATE by webhook.',
    accounts: [CHECKING],
    owner: OWNER,
    later: 'renumbered',
  },
  {
    username: 'user_webhooks_twice',
    title: 'Webhooks twice',
    description: 'As user_verified_later, with every webhook sent twice.',
    accounts: [PENDING],
    owner: OWNER,
    later: 'verified',
    webhooks: { copies: 2 },
  },
  {
    username: 'user_webhooks_late',
    title: 'Webhooks late',
    description: 'As user_verified_later, with every webhook ten seconds late.',
    accounts: [PENDING],
    owner: OWNER,
    later: 'verified',
    webhooks: { delayMs: 10_000 },
  },
  {
    username: 'user_webhooks_disordered',
    title: 'Webhooks out of order',
    description: 'The login breaks and is repaired at once, and LOGIN_REPAIRED comes before the ERROR that it ends.',
    accounts: [CHECKING],
    owner: OWNER,
    later: 'disordered',
  },
];

export function findScenario(username: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.username === username);
}

/** The password that always works, the one that asks for a code, and the code. `error_<CODE>` brings that error of Plaid's. */
export const PASSWORDS = { good: 'pass_good', device: 'mfa_device', errorPrefix: 'error_' } as const;
export const MFA_CODE = '1234';

/** What Plaid's account filter lets through when `auth` is asked for. */
export const AUTH_SUBTYPES: readonly string[] = ['checking', 'savings', 'cash management'];
