/** What a customer can read before the rest of the element has loaded, in English; also the list of keys. */
export const first = {
  connect: 'Connect your bank',
  opening: 'Opening…',
  legal: 'You’ll sign in to your bank through Plaid. We never see your password.',
  required: 'Connect a bank account to continue.',
  retry: 'Try again',
  error_general: 'Something went wrong. Please try again.',
  error_reload: 'Something went wrong. Please reload this page.',
};

/** A key that a language lacks does not compile. */
export type FirstStrings = Readonly<Record<keyof typeof first, string>>;
