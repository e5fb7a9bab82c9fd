import type { CountryCode, LinkTokenCreateRequest, Products } from 'plaid';
import type { LinkTokenRequest } from '../../widget/contract.ts';
import { UpstreamError } from '../clients/outbound.ts';
import type { LinkToken, PlaidClient } from '../clients/plaid.ts';
import { type Config, webhookUrl } from '../config.ts';
import { ProblemError } from '../errors.ts';
import { isLocalUrl } from '../hosts.ts';
import { plaidUserId } from '../ids.ts';
import type { Logger } from '../log.ts';
import { readIdentity } from '../records/columns.ts';
import { accessTokenOf, findItem } from '../records/items.ts';
import { merchantOf } from '../records/views.ts';
import type { Storage } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { SessionTable } from '../storage/tables.ts';
import { internationalPhone } from './owner-person.ts';

/** The languages that Link speaks (plaid.com/docs/api/link/#linktokencreate). */
const LINK_LANGUAGES = new Set('da nl en et fr de hi it lv lt no pl pt ro es sv vi'.split(' '));

/** Plaid's default for a Hosted Link is the same; it is named because it becomes the link token's lifetime. */
const HOSTED_LINK_SECONDS = 30 * 60;

export interface LinkTokenDeps {
  config: Pick<Config, 'consentedProducts' | 'hostedLink' | 'plaid' | 'publicUrl'>;
  log: Logger;
  plaid: PlaidClient;
  secrets: Secrets;
  storage: Storage;
}

/**
 * Makes a link token for the session's customer. Making one is harmless to repeat, so it is tried twice.
 * @throws UpstreamError
 */
export async function createLinkToken(
  deps: LinkTokenDeps,
  session: SessionTable,
  request: LinkTokenRequest,
): Promise<LinkToken> {
  const { config, log } = deps;
  const full = { ...linkTokenRequest(deps, session, request), ...(await subject(deps, session)) };
  const consented = config.consentedProducts as Products[];
  if (consented.length === 0 || (unconsented.get(config.plaid) ?? 0) > Date.now())
    return createAsFarAsPossible(deps, session, full);
  try {
    return await createAsFarAsPossible(deps, session, { ...full, additional_consented_products: consented });
  } catch (error) {
    // A definite no may be about one product, which is not worth the customer's bank.
    const isRefused = error instanceof ProblemError || (error instanceof UpstreamError && !isTemporary(error));
    if (!isRefused) throw error;
    const made = await createAsFarAsPossible(deps, session, full);
    // A bank without the product is no reason to ask no other bank's customer.
    if (!(error instanceof UpstreamError) || error.failure === 'refused') return made;
    unconsented.set(config.plaid, Date.now() + UNCONSENTED_MS);
    const { code } = error;
    log.error(
      { code, products: consented },
      'link tokens go without additional consent for an hour: enable the products at Plaid, or change PLAID_CONSENTED_PRODUCTS or DEBIT_CHECK',
    );
    return made;
  }
}

function isTemporary({ failure }: UpstreamError): boolean {
  return failure === 'busy' || failure === 'lost';
}

/** Until when Plaid is not asked for consent to products that it refused, by the settings of its client. */
const unconsented = new WeakMap<Config['plaid'], number>();
const UNCONSENTED_MS = 3600_000;

async function createAsFarAsPossible(
  deps: LinkTokenDeps,
  session: SessionTable,
  full: LinkTokenCreateRequest,
): Promise<LinkToken> {
  const { plaid } = deps;
  try {
    return await plaid.createLinkToken(full);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    // Plaid validates what is prefilled, and refuses the whole call for it. The customer can type it in Link.
    if (error.code === 'INVALID_USER_IDENTITY_DATA') {
      return plaid.createLinkToken({ ...full, user: { client_user_id: plaidUserId(session.customer_id) } });
    }
    // An address of this machine is no good to Plaid, and Plaid may refuse it: then without webhooks of Items.
    if (error.code === 'INVALID_FIELD' && full.webhook && isLocalUrl(full.webhook)) {
      return plaid.createLinkToken({ ...full, webhook: undefined });
    }
    // Asking again for a product is not open to every client of Plaid's; signing in again may do as well.
    const isRefused = error.failure === 'refused' || error.failure === 'misconfigured';
    if (session.mode === 'repair' && full.products && isRefused) {
      const { products: _, ...without } = full;
      return plaid.createLinkToken(without);
    }
    // The bank or Plaid has ended the Item itself: only a new connection helps.
    if (session.mode === 'repair' && error.failure === 'refused') throw new ProblemError('restart_required', GONE);
    if (isTemporary(error)) return plaid.createLinkToken(full);
    throw error;
  }
}

const GONE = {
  detail: 'The access has ended for good. Connect the bank again in a session without connection.',
  action: 'contact_merchant',
} as const;

/**
 * Why Plaid wants the customer back where they have not shared their account numbers: these are asked for again, by
 * name.
 */
const NOT_SHARED: ReadonlySet<string | null> = new Set(['PRODUCT_PERMISSIONS_REQUIRED', 'ACCESS_NOT_GRANTED']);

/**
 * What the token is for: a new Item, or (update mode) the login of the one to repair, which takes no webhook, and
 * products only to ask again.
 */
async function subject(
  { config, storage, secrets }: LinkTokenDeps,
  session: SessionTable,
): Promise<Pick<LinkTokenCreateRequest, 'products' | 'webhook' | 'access_token'>> {
  if (session.mode === 'connect') {
    const webhook = webhookUrl(config);
    // Finix reads the account's numbers and its owner from Plaid, and asks for exactly these two.
    return { products: ['auth', 'identity'] as Products[], ...(webhook ? { webhook } : {}) };
  }
  const item = await findItem(storage.db, session.item_id);
  const accessToken = item ? accessTokenOf(secrets, item) : null;
  if (accessToken === null) throw new ProblemError('restart_required', GONE);
  const connection = await storage.db
    .selectFrom('connections')
    .select('reason')
    .where('id', '=', session.repair_connection_id)
    .executeTakeFirst();
  return {
    access_token: accessToken,
    ...(NOT_SHARED.has(connection?.reason ?? null) ? { products: ['auth'] as Products[] } : {}),
  };
}

function linkTokenRequest(
  { config, secrets }: LinkTokenDeps,
  session: SessionTable,
  { mode, language, return_url, platform, redirect_uri, android_package_name }: LinkTokenRequest,
): LinkTokenCreateRequest {
  const request: LinkTokenCreateRequest = {
    client_name: merchantOf(session, config).name,
    language: linkLanguage(language ?? session.language),
    country_codes: config.plaid.countryCodes as CountryCode[],
    user: { client_user_id: plaidUserId(session.customer_id), ...prefill(secrets, session) },
  };
  // A page's address brings no one back to an app.
  const redirectUri = platform ? redirect_uri : config.plaid.redirectUri;
  if (redirectUri) request.redirect_uri = redirectUri;
  if (android_package_name) request.android_package_name = android_package_name;
  const customization = session.link_customization ?? config.plaid.linkCustomization;
  if (customization) request.link_customization_name = customization;
  // A page that can be left names the address to come back to: without a redirect address of its own, a bank's page
  // only works in a Hosted Link.
  const mustLeave = !platform && mode !== 'embedded' && return_url && !config.plaid.redirectUri;
  if ((mode === 'hosted' || mustLeave) && config.hostedLink) {
    request.hosted_link = {
      url_lifetime_seconds: HOSTED_LINK_SECONDS,
      // As it was parsed and checked: another reader could take `https:shop.example` or `https://shop\\x` for another
      // host.
      ...(return_url ? { completion_redirect_uri: new URL(return_url).href } : {}),
      ...(platform ? { is_mobile_app: true } : {}),
    };
  }
  return request;
}

function linkLanguage(tag: string): string {
  const primary = tag.toLowerCase().split('-')[0] ?? 'en';
  // Plaid has one Norwegian; browsers send nb or nn.
  const language = primary === 'nb' || primary === 'nn' ? 'no' : primary;
  return LINK_LANGUAGES.has(language) ? language : 'en';
}

/** What saves the customer typing. Only what Plaid's format check lets through. */
function prefill(
  secrets: Secrets,
  session: SessionTable,
): { legal_name?: string; email_address?: string; phone_number?: string } {
  if (session.identity_enc === null) return {};
  const where = { table: 'sessions', row: session.id, column: 'identity_enc' };
  const { first_name, last_name, email, phone } = readIdentity(secrets.open(session.identity_enc, where));
  const phone_number = internationalPhone(phone);
  return {
    ...(first_name && last_name ? { legal_name: `${first_name} ${last_name}` } : {}),
    ...(email ? { email_address: email } : {}),
    ...(phone_number ? { phone_number } : {}),
  };
}
