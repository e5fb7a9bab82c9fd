import type { Context } from '../context.ts';
import { iso } from '../ids.ts';
import { findInstitution } from '../institutions.ts';
import type { SimulatedAccount, SimulatedItem } from '../state.ts';
import { plaidRefusal } from './errors.ts';
import { read } from './read.ts';
import { accounts, exchange, institution, onItem, remove, webhookUpdate } from './schemas.ts';
import { accountShape, institutionShape, itemShape, ownerShape } from './shapes.ts';

type Answer = Record<string, unknown>;

/** `/item/public_token/exchange`: works once. In update mode the Item keeps its access token. */
export function exchangePublicToken(context: Context, json: unknown): Answer {
  const { public_token } = read(exchange, json);
  if (!/^public-sandbox-[\w-]+$/.test(public_token)) {
    throw plaidRefusal(
      'INVALID_PUBLIC_TOKEN',
      'provided public token is in an invalid format. expected format: public-<environment>-<identifier>',
    );
  }
  const token = context.state.publicTokens.get(public_token);
  const item = token && context.state.items.get(token.item_id);
  if (!token || !item || token.exchanged || token.expires_at <= context.now()) {
    throw plaidRefusal('INVALID_PUBLIC_TOKEN');
  }
  token.exchanged = true;
  item.exchanged = true;
  context.bank.beginLater(item);
  return { access_token: item.access_token, item_id: item.item_id };
}

/** The Item behind an access token, also one that needs a new login. */
export function findItem(context: Context, accessToken: string): SimulatedItem {
  if (!/^access-sandbox-[\w-]+$/.test(accessToken)) {
    throw plaidRefusal(
      'INVALID_ACCESS_TOKEN',
      'provided access token is in an invalid format. expected format: access-<environment>-<identifier>',
    );
  }
  const item = context.state.itemByAccessToken(accessToken);
  if (!item) throw plaidRefusal('INVALID_ACCESS_TOKEN');
  if (item.removed) throw plaidRefusal('ITEM_NOT_FOUND');
  return item;
}

export function readableItem(context: Context, accessToken: string): SimulatedItem {
  const item = findItem(context, accessToken);
  if (item.login_required) throw plaidRefusal('ITEM_LOGIN_REQUIRED');
  if (item.accounts.length === 0) throw plaidRefusal('NO_ACCOUNTS');
  return item;
}

export function chosenAccounts(item: SimulatedItem, ids: string[] | undefined): SimulatedAccount[] {
  if (!ids || ids.length === 0) return item.accounts;
  return ids.map((id) => findAccount(item, id));
}

export function findAccount(item: SimulatedItem, id: string): SimulatedAccount {
  const account = item.accounts.find(({ account_id }) => account_id === id);
  if (!account) throw plaidRefusal('INVALID_ACCOUNT_ID');
  return account;
}

/** Refuses a product that the client has not got at Plaid. */
export function requireEnabled({ settings }: Context, product: string): void {
  if (settings.disabledProducts.includes(product)) throw plaidRefusal('INVALID_PRODUCT');
}

/** Refuses a product that the customer was never asked about. */
export function requireConsent(item: SimulatedItem, product: string): void {
  if (item.products.includes(product) || item.consented.includes(product)) return;
  throw plaidRefusal(
    'ADDITIONAL_CONSENT_REQUIRED',
    `client does not have user consent to access the PRODUCT_${product.toUpperCase()} product`,
  );
}

const isVerified = ({ verification_status: status }: SimulatedAccount): boolean =>
  status === undefined || status === 'automatically_verified' || status === 'manually_verified';

export function getAccounts(context: Context, json: unknown): Answer {
  const { access_token, options } = read(accounts, json);
  const item = readableItem(context, access_token);
  const chosen = chosenAccounts(item, options?.account_ids);
  return { accounts: chosen.map((account) => accountShape(item, account)), item: itemShape(item) };
}

export function getAuth(context: Context, json: unknown): Answer {
  const { access_token, options } = read(accounts, json);
  const item = readableItem(context, access_token);
  requireConsent(item, 'auth');
  const chosen = chosenAccounts(item, options?.account_ids).filter(hasNumbers);
  if (chosen.length === 0) throw plaidRefusal('NO_AUTH_ACCOUNTS');
  if (!chosen.every(isVerified)) throw plaidRefusal('PRODUCT_NOT_READY');
  const ach = chosen.map(({ account_id, number }) => ({
    account_id,
    account: number,
    routing: item.institution.routing_number,
    wire_routing: null,
    is_tokenized_account_number: item.institution.tokenizedNumbers,
    can_transfer_in: true,
    can_transfer_out: true,
  }));
  return {
    accounts: chosen.map((account) => accountShape(item, account)),
    numbers: { ach, eft: [], international: [], bacs: [] },
    item: itemShape(item),
  };
}

export const hasNumbers = ({ type, subtype }: SimulatedAccount): boolean =>
  type === 'depository' && ['checking', 'savings', 'cash management'].includes(subtype);

export function getIdentity(context: Context, json: unknown): Answer {
  const { access_token, options } = read(accounts, json);
  const item = readableItem(context, access_token);
  requireConsent(item, 'identity');
  const chosen = chosenAccounts(item, options?.account_ids);
  return {
    accounts: chosen.map((account) => ({ ...accountShape(item, account), owners: [ownerShape(item)] })),
    item: itemShape(item),
  };
}

export function getItem(context: Context, json: unknown): Answer {
  const { access_token } = read(onItem, json);
  const item = findItem(context, access_token);
  return {
    item: {
      ...itemShape(item),
      created_at: iso(item.created_at),
      consented_products: [...item.products, ...item.consented],
      consented_use_cases: [],
      consented_data_scopes: [],
    },
    status: null,
  };
}

/** `/item/remove`: takes the access token and all its processor tokens out of use. */
export function removeItem(context: Context, json: unknown): Answer {
  const { access_token } = read(remove, json);
  findItem(context, access_token).removed = true;
  return {};
}

export function updateWebhook(context: Context, json: unknown): Answer {
  const { access_token, webhook } = read(webhookUpdate, json);
  const item = findItem(context, access_token);
  item.webhook = webhook ?? null;
  context.webhooks.plaidItem(item, 'ITEM', 'WEBHOOK_UPDATE_ACKNOWLEDGED', { new_webhook_url: webhook, error: null });
  return { item: itemShape(item) };
}

export function getInstitution(json: unknown): Answer {
  const { institution_id, country_codes, options } = read(institution, json);
  const found = findInstitution(institution_id);
  if (!found || !country_codes.includes('US')) throw plaidRefusal('INVALID_INSTITUTION');
  return { institution: institutionShape(found, options?.include_optional_metadata) };
}
