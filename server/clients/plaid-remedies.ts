/**
 * What an operator does about each refusal of Plaid's that only an operator can end. Shown in the log, in `/readyz` and
 * in docs/errors.md.
 */
const REMEDIES: Record<string, string> = {
  INVALID_API_KEYS:
    'Set PLAID_CLIENT_ID and the PLAID_SECRET of the environment in PLAID_ENV, as Plaid’s Dashboard shows them under Developers > Keys.',
  UNAUTHORIZED_ENVIRONMENT:
    'Ask for access to the environment in PLAID_ENV in Plaid’s Dashboard, or set PLAID_ENV to one that the client may use.',
  UNAUTHORIZED_ROUTE_ACCESS: 'Ask Plaid to enable this endpoint for the client.',
  INVALID_PRODUCT:
    'Ask for access to the products auth and identity in Plaid’s Dashboard; name in PLAID_CONSENTED_PRODUCTS only products that the client may use.',
  INVALID_PRODUCTS:
    'Ask for access to the products auth and identity in Plaid’s Dashboard; name in PLAID_CONSENTED_PRODUCTS only products that the client may use.',
  PRODUCT_NOT_ENABLED:
    'Ask for access to the product in Plaid’s Dashboard; Items that were made before must be connected again.',
  DIRECT_INTEGRATION_NOT_ENABLED:
    'Check PLAID_BASE_URL: the request did not go to the API that makes Items through Link.',
  INVALID_LINK_CUSTOMIZATION:
    'Choose a use case under Link > Link Customization > Data Transparency Messaging in Plaid’s Dashboard and publish it; check the name in PLAID_LINK_CUSTOMIZATION.',
  INVALID_CONFIGURATION:
    'Check PLAID_COUNTRY_CODES, PLAID_REDIRECT_URI and PLAID_LINK_CUSTOMIZATION: Plaid does not take them together.',
  UNAUTHORIZED_INSTITUTION:
    'Complete the registration for this bank in Plaid’s Dashboard under Settings > Compliance > US OAuth institutions. It may take weeks.',
  INSTITUTION_REGISTRATION_REQUIRED:
    'Complete Plaid’s security questionnaire and the registration for this bank in the Dashboard. It may take up to six weeks for some banks.',
  INSTITUTION_NOT_ENABLED_IN_ENVIRONMENT: 'Check PLAID_ENV: this bank does not exist in the environment.',
  INCOMPATIBLE_API_VERSION: 'Check PLAID_BASE_URL: the API there does not take version 2020-09-14.',
  INVALID_FIELD:
    'Read Plaid’s message for the field. An address in PLAID_REDIRECT_URI must be allowed in Plaid’s Dashboard under Developers > API.',
  MISSING_FIELDS: 'Read Plaid’s message for the field, and report it to the maintainers of this server.',
  UNKNOWN_FIELDS: 'Read Plaid’s message for the field, and report it to the maintainers of this server.',
  INVALID_BODY: 'Check PLAID_BASE_URL and the proxies on the way to Plaid: the request arrived damaged.',
  INVALID_HEADERS: 'Check PLAID_BASE_URL and the proxies on the way to Plaid: headers of the request were lost.',
  NOT_FOUND: 'Check PLAID_BASE_URL: the API there does not have this endpoint.',
  NO_LONGER_AVAILABLE: 'Update this server: Plaid has withdrawn the endpoint.',
  SANDBOX_ONLY: 'Check PLAID_ENV and PLAID_BASE_URL: the endpoint exists in Plaid’s Sandbox only.',
  ADDENDUM_NOT_SIGNED:
    'Sign Plaid’s Signal Addendum with your account manager, or set DEBIT_CHECK to another value than signal.',
  INVALID_CONFIGURATION_STATE: 'Set PLAID_SIGNAL_RULESET, and ask Plaid to repair the default ruleset of the account.',
  NOT_ENABLED_FOR_SIGNAL_TRANSACTION_SCORE_RULESETS:
    'Ask Plaid for Signal Transaction Scores, or name a ruleset in PLAID_SIGNAL_RULESET that uses balances only.',
  RULESET_NOT_FOUND:
    'Create the ruleset in Plaid’s Dashboard under Signal > Rules, in the environment of PLAID_ENV, and check PLAID_SIGNAL_RULESET.',
  // Retried like any limit, but only an operator ends it.
  CREDITS_EXHAUSTED: 'Request full Production access in Plaid’s Dashboard: no free calls are left.',
};

/** The same code from a call that Finix is part of. */
const AT_THE_PROCESSOR: Record<string, string> = {
  INVALID_PRODUCT:
    'Enable Finix in Plaid’s Dashboard under Developers > Integrations. If it is enabled, the Item has products that Finix does not take: leave PLAID_CONSENTED_PRODUCTS empty for Items to come.',
};

/** @param call the endpoint's path without its first slash */
export function remedyFor(call: string, code: string): string | undefined {
  const own = call.startsWith('processor/') ? AT_THE_PROCESSOR[code] : undefined;
  return own ?? REMEDIES[code];
}

/** For the documentation: every code that has a remedy, with the call where that matters. */
export function listRemedies(): { code: string; call: string | null; remedy: string }[] {
  const general = Object.entries(REMEDIES).map(([code, remedy]) => ({ code, call: null, remedy }));
  const own = Object.entries(AT_THE_PROCESSOR).map(([code, remedy]) => ({
    code,
    call: 'processor/token/create',
    remedy,
  }));
  return [...own, ...general];
}
