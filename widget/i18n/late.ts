import { first } from './first.ts';

/**
 * What is said on the way to a connected bank, in English. `{bank}` stands for a name; also the list of keys, in their
 * order after those of the first texts.
 */
export const late = {
  ...first,
  link_open: 'Continue in the Plaid window',
  connecting: 'Connecting your bank…',
  connected: '{bank} is connected.',
  pending: 'Your bank is confirming this account. This usually takes 1–2 business days.',
  needs_repair: 'Sign in to your bank again to keep this account connected.',
  your_bank: 'Your bank',
  change: 'Change',
  remove: 'Remove',
  removed: 'This bank account won’t be used.',
  canceled: 'No bank account was connected. You can try again anytime.',
  checking: 'Checking',
  savings: 'Savings',
  cash_management: 'Cash management',
};

export type LateStrings = Readonly<Record<keyof typeof late, string>>;

export const LATE_KEYS: readonly string[] = Object.keys(late);
