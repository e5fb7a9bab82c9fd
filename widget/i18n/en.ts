import { type LateStrings, late } from './late.ts';

/**
 * English: everything that is said where a customer leaves the straight way. Every other language has these keys too.
 * `{bank}` and `{merchant}` stand for names.
 */
const aside = {
  returning: 'Finishing up…',
  new_window: 'Continue in a new window',
  finish_window: 'Finish in the Plaid window, then come back to this page.',
  close_dialog: 'Close this dialog to continue with Plaid.',
  one_more: 'One more step',
  slow: 'Still connecting. Your bank is taking a little longer than usual.',
  very_slow: 'This is taking longer than expected. You can leave this page; we’ll finish connecting your bank.',
  returned_repair: 'A payment with this account was returned. Sign in to your bank again to keep using it.',
  returned_other: 'A payment with your last account was returned. Please connect a different account.',
  reconnect: 'Reconnect {bank}',
  not_changed: 'No new bank account was connected.',
  expired: 'Your session timed out. Connect your bank again.',
  return_elsewhere: 'You came back in a different tab or browser. Connect your bank once more.',
  restart: 'Connect again',
  other_bank: 'Choose another bank',
  other_account: 'Choose another account',
  unavailable: 'Bank connection unavailable',
  choose_title: 'Choose an account',
  error_account_choice: 'This account can’t be used. Choose a checking or savings account.',
  choose_text: 'Which account would you like to use?',
  authorize_title: 'Authorize payments',
  authorize_payout: 'Authorization',
  agree: 'Agree and continue',
  save_copy: 'Save a copy',
  revoke: 'You can revoke this at any time by contacting {merchant}.',
  use_account: 'Use this account',
  cancel: 'Cancel',
  error_wait: 'We can’t connect your bank right now. Please try again in a minute.',
  error_merchant: 'We can’t connect your bank right now. Try another way to pay, or contact {merchant}.',
  error_merchant_payout: 'We can’t connect your bank right now. Please contact {merchant}.',
  error_restart: 'We couldn’t finish connecting your bank. Please try again.',
  error_completed: 'To use a different account, contact {merchant}.',
  error_session: 'Your session expired.',
  reload: 'Reload this page to connect your bank.',
  error_account: 'We couldn’t find a checking or savings account at this bank.',
  error_bank: 'This bank isn’t supported. Please choose another one.',
  error_bank_down: 'Your bank isn’t responding right now. Choose another bank, or try again later.',
  error_login: 'Your bank couldn’t verify your sign-in. Please try again.',
  error_locked: 'Your online banking access is locked. Unlock it on your bank’s website, or choose another bank.',
  error_setup: 'Your online banking needs an update. Do that on your bank’s website, then connect again.',
  error_access: 'Your bank didn’t share this account. Connect again and select the account you want to use.',
  error_verification: 'We couldn’t verify this account. Connect again, or use a different account.',
  error_refused: 'This account was declined. Please use a different one.',
  error_refused_merchant: 'This account was declined. To use a different account, contact {merchant}.',
  error_owner_mismatch: 'The name on this account doesn’t match yours. Please use an account in your name.',
  error_owner_unknown: 'We couldn’t confirm who owns this account. Please use another bank.',
  error_ended: 'Access to this account has ended. Connect your bank again to keep using it.',
  error_ended_merchant: 'Access to this account has ended. Contact {merchant} to connect it again.',
  error_not_ready: 'Your bank hasn’t confirmed this account yet. Please try again in a few minutes.',
  error_offline: 'You’re offline. We’ll continue when you’re back online.',
  error_blocked: 'A content blocker may have stopped Plaid. Allow plaid.com, then try again.',
};

/** Every text of the element, in one language. */
export type Texts = LateStrings & Readonly<Record<keyof typeof aside, string>>;

export const en: Texts = { ...late, ...aside };
