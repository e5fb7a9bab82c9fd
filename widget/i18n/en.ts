import type { FirstStrings } from './first.ts';

/** What is said after the first look, in English; also the list of keys that every other language must have. `{bank}` stands for the bank's name. */
export const strings = {
  link_open: 'Continue in the window that opened',
  returning: 'Back from your bank…',
  new_window: 'Continue in a new window',
  connecting: 'Connecting your bank…',
  one_more: 'One more step',
  slow: 'Still working. Your bank is taking a little longer than usual.',
  very_slow: 'This is taking unusually long. Nothing is lost: it finishes by itself, even if you come back later.',
  connected: '{bank} is connected.',
  pending: 'Your bank is confirming this account, usually within two business days.',
  needs_repair: 'Your bank asks you to sign in again.',
  reconnect: 'Reconnect {bank}',
  your_bank: 'Your bank',
  change: 'Change',
  remove: 'Remove',
  removed: 'Bank removed.',
  canceled: 'No bank was connected. You can try again at any time.',
  expired: 'That took a while, so we started over. Please connect once more.',
  restart: 'Connect again',
  other_bank: 'Choose another bank',
  unavailable: 'Bank connection unavailable',
  choose_title: 'Which account?',
  choose_text: 'Choose the account to use.',
  checking: 'Checking',
  savings: 'Savings',
  cash_management: 'Cash management',
  authorize_title: 'Your agreement',
  agree: 'I agree',
  save_copy: 'Save a copy',
  revoke: 'You can take this back at any time: tell the shop, or remove its access at your bank or at my.plaid.com.',
  use_account: 'Use this account',
  cancel: 'Cancel',
  error_wait: 'The service is busy. Please try again in a moment.',
  error_merchant: 'Connecting a bank isn’t possible here right now. Please contact the shop.',
  error_restart: 'The connection to your bank has ended. Please connect it again.',
  error_completed: 'A bank was already connected here. To use another one, please ask the shop to start over.',
  error_session: 'This page was open too long. Reload it to connect your bank.',
  error_account: 'This account can’t be used. Please choose a checking or savings account.',
  error_bank: 'This bank isn’t supported here. Please choose another one.',
  error_bank_down: 'Your bank isn’t responding. Try another bank, or come back later.',
  error_login: 'Your bank didn’t accept the sign-in. Please try again.',
  error_locked: 'Your bank has locked this sign-in. Unlock it on the bank’s own site, or choose another bank.',
  error_access: 'Your bank didn’t get permission to share the account. Connect again and allow it.',
  error_verification: 'This account couldn’t be verified. Please choose another one.',
  error_refused: 'This account was declined. Please use another one.',
  error_offline: 'You’re offline. We’ll continue when you’re back.',
  error_timeout: 'That took too long. Please try again.',
  error_blocked: 'A content blocker may have stopped this. Allow plaid.com, then try again.',
};

/** A key that is missing in a language does not compile. */
export type LateStrings = Readonly<Record<keyof typeof strings, string>>;

/** Every text of the element, in one language. */
export type Strings = FirstStrings & LateStrings;
export type StringKey = keyof Strings;
