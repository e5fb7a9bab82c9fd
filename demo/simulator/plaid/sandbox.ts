import type { Context } from '../context.ts';
import { Faults } from '../faults.ts';
import { iso, plaidId, plaidToken } from '../ids.ts';
import { findInstitution, type SimulatedInstitution } from '../institutions.ts';
import { ownerOf, type Person, type Scenario } from '../scenario.ts';
import { findScenario, PASSWORDS } from '../scenarios.ts';
import { openAccounts, type SimulatedAccount, type SimulatedItem } from '../state.ts';
import { isKnownCode, plaidErrorObject, plaidRefusal } from './errors.ts';
import { findItem } from './items.ts';
import { read } from './read.ts';
import { fireWebhook as fireWebhookBody, onItem, sandboxPublicToken, verificationStatus } from './schemas.ts';

type Answer = Record<string, unknown>;

export interface NewItem {
  institution: SimulatedInstitution;
  scenario: Scenario;
  accounts: SimulatedAccount[];
  products: string[];
  consented: string[];
  webhook: string | null;
  /** Who signed in, where that is known. */
  person?: Person;
}

/** An Item whose access token was not given out yet. */
export function openItem(context: Context, { person, ...fresh }: NewItem): SimulatedItem {
  const faults = new Faults();
  for (const rule of fresh.scenario.faults ?? []) faults.add(rule);
  const item: SimulatedItem = {
    ...fresh,
    owner: ownerOf(fresh.scenario, person),
    item_id: plaidId(),
    access_token: plaidToken('access'),
    created_at: context.now(),
    exchanged: false,
    removed: false,
    login_required: fresh.scenario.loginRequired ?? false,
    consent_ends_at: null,
    faults,
  };
  context.state.addItem(item);
  return item;
}

/** `/sandbox/public_token/create`: what Link would give, without Link. The Item has all of the user's accounts. */
export function createPublicToken(context: Context, json: unknown): Answer {
  const { institution_id, initial_products, options } = read(sandboxPublicToken, json);
  const institution = findInstitution(institution_id);
  if (!institution) throw plaidRefusal('INVALID_INSTITUTION');
  const scenario = findScenario(options?.override_username ?? context.settings.username);
  const password = options?.override_password ?? PASSWORDS.good;
  const code = password.startsWith(PASSWORDS.errorPrefix) ? password.slice(PASSWORDS.errorPrefix.length) : null;
  if (code && isKnownCode(code)) throw plaidRefusal(code);
  if (!scenario || (password !== PASSWORDS.good && password !== PASSWORDS.device)) {
    throw plaidRefusal('INVALID_CREDENTIALS');
  }
  if (scenario.link) throw plaidRefusal(scenario.link.error_code);
  const item = openItem(context, {
    institution,
    scenario,
    accounts: openAccounts(scenario),
    products: initial_products,
    consented: [],
    webhook: options?.webhook ?? null,
  });
  return { public_token: context.state.newPublicToken(item.item_id, context.now(), context.lifetimes) };
}

/** `/sandbox/item/fire_webhook`: sends it, and changes nothing; the account that it needs is the Item's first. */
export function fireWebhook(context: Context, json: unknown): Answer {
  const { access_token, webhook_code: code } = read(fireWebhookBody, json);
  const item = findItem(context, access_token);
  const account_id = item.accounts[0]?.account_id;
  const error = (name: string) => ({ error: { ...plaidErrorObject(name), status: 400 } });
  const more: Record<typeof code, Record<string, unknown>> = {
    DEFAULT_UPDATE: {
      account_ids_with_new_auth: [],
      account_ids_with_updated_auth: { [account_id ?? '']: ['ACCOUNT_NUMBER'] },
      error: null,
    },
    NEW_ACCOUNTS_AVAILABLE: { error: null },
    // Always this status, as Plaid documents.
    SMS_MICRODEPOSITS_VERIFICATION: { account_id, status: 'MANUALLY_VERIFIED' },
    USER_PERMISSION_REVOKED: error('USER_PERMISSION_REVOKED'),
    USER_ACCOUNT_REVOKED: { account_id },
    PENDING_DISCONNECT: {
      reason: 'INSTITUTION_TOKEN_EXPIRATION',
      disconnect_time: iso(context.now() + 7 * 24 * 3600_000),
    },
    LOGIN_REPAIRED: {},
    ERROR: error('ITEM_LOGIN_REQUIRED'),
  };
  const type = code === 'DEFAULT_UPDATE' || code === 'SMS_MICRODEPOSITS_VERIFICATION' ? 'AUTH' : 'ITEM';
  return { webhook_fired: context.webhooks.plaidItem(item, type, code, more[code]) };
}

/** `/sandbox/item/reset_login`: the Item needs a new login from now on. */
export function resetLogin(context: Context, json: unknown): Answer {
  const { access_token } = read(onItem, json);
  const item = findItem(context, access_token);
  item.login_required = true;
  context.webhooks.plaidItem(item, 'ITEM', 'ERROR', {
    error: { ...plaidErrorObject('ITEM_LOGIN_REQUIRED'), status: 400 },
  });
  return { reset_login: true };
}

/** `/sandbox/item/set_verification_status`: ends the wait for the small deposits. */
export function setVerificationStatus(context: Context, json: unknown): Answer {
  const { access_token, account_id, verification_status } = read(verificationStatus, json);
  const item = findItem(context, access_token);
  const account = item.accounts.find((candidate) => candidate.account_id === account_id);
  if (!account) throw plaidRefusal('INVALID_ACCOUNT_ID');
  if (account.verification_status !== 'pending_automatic_verification') {
    throw plaidRefusal('INVALID_FIELD', 'the account is not waiting for automated micro-deposits');
  }
  account.verification_status = verification_status;
  const code = verification_status === 'automatically_verified' ? 'AUTOMATICALLY_VERIFIED' : 'VERIFICATION_EXPIRED';
  context.webhooks.plaidItem(item, 'AUTH', code, { account_id });
  return {};
}
