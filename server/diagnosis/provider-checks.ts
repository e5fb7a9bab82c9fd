import type { CountryCode, LinkTokenCreateRequest, Products } from 'plaid';
import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import { remedyFor } from '../clients/plaid-remedies.ts';
import { createPlainCalls, type PlainCalls, refusalOf } from '../clients/plain-calls.ts';
import { type Config, webhookUrl } from '../config.ts';
import { plaidUserId } from '../ids.ts';
import { type Check, fail, failedCall, ok, skip, warn } from './check.ts';

export interface ProviderDeps {
  config: Config;
  plaid: PlaidClient;
  calls?: PlainCalls;
  now?: () => number;
}

/** A bank of Plaid's Sandbox without OAuth. */
const SANDBOX_BANK = 'ins_109508';

/**
 * Asks Plaid for the link token that a customer's page would get; where it is refused, part by part, so that the cause
 * has a name.
 */
export async function checkPlaid({ config, plaid }: ProviderDeps): Promise<Check[]> {
  const { redirectUri, linkCustomization, environment, baseUrl } = config.plaid;
  const { consentedProducts } = config;
  const consent = { additional_consented_products: consentedProducts as Products[] };
  const reached = ok('plaid', `Plaid takes the keys at ${baseUrl} (${environment}).`);
  const identity = ok('plaid_identity', 'Plaid lets the client use the products auth and identity.');
  const redirect = redirectUri
    ? ok('plaid_redirect_uri', `Plaid knows ${redirectUri}.`)
    : skip('plaid_redirect_uri', 'PLAID_REDIRECT_URI is not set: banks with OAuth in webviews need the hosted mode.');
  const consented = ok('plaid_consented_products', `Plaid asks for consent to ${consentedProducts.join(', ')}.`);
  const extra = consentedProducts.length > 0 ? [consented] : [];

  const own = redirectUri ? { redirect_uri: redirectUri } : {};
  const custom = linkCustomization ? { link_customization_name: linkCustomization } : {};
  const all = { ...own, ...custom, ...(extra.length > 0 ? consent : {}) };
  if ((await tryToken(config, plaid, ['auth', 'identity'], all)) === undefined)
    return [reached, identity, redirect, ...extra];

  const bare = await tryToken(config, plaid, ['auth'], {});
  if (bare) return [failedCall('plaid', bare)];
  const products = await tryToken(config, plaid, ['auth', 'identity'], {});
  if (products) return [reached, failedCall('plaid_identity', products)];
  const address = redirectUri && (await tryToken(config, plaid, ['auth', 'identity'], own));
  const look = linkCustomization && (await tryToken(config, plaid, ['auth', 'identity'], custom));
  const more = extra.length > 0 && (await tryToken(config, plaid, ['auth', 'identity'], consent));
  return [
    reached,
    identity,
    address ? failedCall('plaid_redirect_uri', address) : redirect,
    ...(look ? [failedCall('plaid_customization', look)] : []),
    ...(more ? [failedCall('plaid_consented_products', more)] : extra),
  ];
}

async function tryToken(
  config: Config,
  plaid: PlaidClient,
  products: string[],
  more: Partial<LinkTokenCreateRequest>,
): Promise<UpstreamError | undefined> {
  const webhook = webhookUrl(config);
  try {
    await plaid.createLinkToken({
      client_name: config.plaid.clientName,
      language: 'en',
      country_codes: config.plaid.countryCodes as CountryCode[],
      user: { client_user_id: plaidUserId('finix-bank-connect-doctor') },
      products: products as Products[],
      ...(webhook ? { webhook } : {}),
      ...more,
    });
    return undefined;
  } catch (error) {
    if (error instanceof UpstreamError) return error;
    throw error;
  }
}

/**
 * Makes a processor token for a bank of the Sandbox, the one call that needs Finix enabled at Plaid, and removes the
 * Item again.
 */
export async function checkIntegration(deps: ProviderDeps): Promise<Check[]> {
  const { config, plaid, calls = createPlainCalls(config) } = deps;
  if (config.plaid.environment !== 'sandbox') {
    return [
      skip(
        'plaid_integration',
        'Only a customer’s bank shows it in production: check Plaid’s Dashboard, Developers > Integrations > Finix.',
      ),
    ];
  }
  let accessToken: string | undefined;
  try {
    const made = await calls.plaid('/sandbox/public_token/create', {
      institution_id: SANDBOX_BANK,
      initial_products: ['auth', 'identity'],
    });
    const publicToken = made.body['public_token'];
    if (typeof publicToken !== 'string') return [refused('plaid_integration', 'sandbox/public_token/create', made)];
    ({ accessToken } = await plaid.exchangePublicToken(publicToken));
    const { accounts } = await plaid.getAccounts(accessToken);
    const account = accounts.find(({ subtype }) => subtype === 'checking');
    if (!account) return [fail('plaid_integration', 'Plaid’s test bank has no checking account.', 'Try again later.')];
    await plaid.createProcessorToken(accessToken, account.id);
    const done = ok('plaid_integration', 'Plaid makes processor tokens for Finix.');
    return [done, ...(config.ownershipCheck === 'off' ? [] : [await checkOwners(calls, accessToken)])];
  } catch (error) {
    return [failedCall('plaid_integration', error)];
  } finally {
    // What it leaves behind is a test Item; that it could not be removed is no finding.
    if (accessToken !== undefined) await plaid.removeItem(accessToken).catch(() => {});
  }
}

async function checkOwners(calls: PlainCalls, accessToken: string): Promise<Check> {
  const answer = await calls.plaid('/identity/match', {
    access_token: accessToken,
    user: { legal_name: 'Alberta Bobbeth Charleson' },
  });
  if (answer.isOk) return ok('plaid_identity_match', 'Plaid compares the owners of accounts.');
  const { code } = refusalOf(answer);
  return warn(
    'plaid_identity_match',
    `Plaid does not compare the owners of accounts (${code}): verification.owner stays unknown.`,
    'Ask Plaid for Identity Match, or set OWNERSHIP_CHECK=off.',
  );
}

function refused(id: string, call: string, answer: Awaited<ReturnType<PlainCalls['plaid']>>): Check {
  const { code, message } = refusalOf(answer);
  const remedy = remedyFor(call, code) ?? `Look up ${code} in docs/errors.md.`;
  return fail(id, `Plaid refused ${call} with ${code}: ${message} (request ${answer.requestId ?? 'unknown'}).`, remedy);
}

/** Beyond this, links and sessions expire at surprising times. */
const CLOCK_WARN_MS = 30_000;
/** Webhook signatures are good for five minutes in either direction; a minute is left for the way. */
const CLOCK_FAIL_MS = 4 * 60_000;

/** Reads one payment instrument, and compares this machine's clock with the providers'. */
export async function checkFinixAndClock(deps: ProviderDeps): Promise<Check[]> {
  const { config, calls = createPlainCalls(config), now = Date.now } = deps;
  const checks: Check[] = [];
  let date: number | undefined;
  try {
    const answer = await calls.finix('GET', '/payment_instruments?limit=1');
    date = answer.date;
    const { baseUrl, environment } = config.finix;
    checks.push(
      answer.isOk ? ok('finix', `Finix takes the key at ${baseUrl} (${environment}).`) : finixRefused(answer),
    );
  } catch (error) {
    checks.push(failedCall('finix', error));
  }
  date ??= await calls.plaid('/link/token/get').then(
    (answer) => answer.date,
    () => undefined,
  );
  return [...checks, checkClock(date, now())];
}

function finixRefused(answer: Awaited<ReturnType<PlainCalls['finix']>>): Check {
  const { code, message } = refusalOf(answer);
  const isKey = answer.status === 401 || answer.status === 403;
  return fail(
    'finix',
    `Finix refused to list payment instruments with ${answer.status} ${code}: ${message}.`,
    isKey
      ? 'Set FINIX_USERNAME and FINIX_PASSWORD to a key of the environment in FINIX_ENV: Finix’s Dashboard, Developers > API Keys.'
      : 'Check FINIX_BASE_URL and the proxies on the way to Finix.',
  );
}

function checkClock(date: number | undefined, now: number): Check {
  if (date === undefined) return skip('clock', 'No provider gave its time.');
  const behind = date - now;
  const seconds = Math.round(Math.abs(behind) / 1000);
  if (Math.abs(behind) < CLOCK_WARN_MS) return ok('clock', 'This machine’s clock agrees with the providers’.');
  const isFar = Math.abs(behind) >= CLOCK_FAIL_MS;
  return (isFar ? fail : warn)(
    'clock',
    `This machine’s clock is ${seconds} seconds ${behind > 0 ? 'behind' : 'ahead'}${isFar ? ': signatures of webhooks are refused' : ''}.`,
    'Turn on time synchronization (NTP).',
  );
}
