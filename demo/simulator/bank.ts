import type { Bank, Context, WebhookSender } from './context.ts';
import { setEnabled } from './finix/payment-instruments.ts';
import { plaidId } from './ids.ts';
import { plaidErrorObject } from './plaid/errors.ts';
import type { Later } from './scenario.ts';
import type { SimulatedAccount, SimulatedItem } from './state.ts';
import { quietTimer } from './timer.ts';

const WEEK_MS = 7 * 24 * 3600_000;
/** For as long as a new consent lasts where it ends at all. */
const CONSENT_MS = 180 * 24 * 3600_000;

/** The customer has signed in again, which renews a consent that has an end. */
export function signIn(item: SimulatedItem, now: number): void {
  item.login_required = false;
  if (item.consent_ends_at !== null) item.consent_ends_at = now + CONSENT_MS;
}

/** What a scenario has in store for its Items, by the name that it gives it. */
const LATER: Record<Later, (bank: Bank, item: SimulatedItem, webhooks: WebhookSender) => void> = {
  verified: (bank, { item_id }) => bank.verify(item_id, 'automatically_verified'),
  verification_expired: (bank, { item_id }) => bank.verify(item_id, 'verification_expired'),
  broken: (bank, { item_id }) => bank.breakLogin(item_id),
  disconnecting: (bank, { item_id }) => bank.announceDisconnect(item_id),
  revoked: (bank, { item_id }) => bank.revokePermission(item_id),
  account_revoked: (bank, { item_id, accounts }) => bank.revokeAccount(item_id, accounts[0]?.account_id ?? ''),
  numbers_withheld: (bank, { item_id }) => bank.withholdNumbers(item_id),
  renumbered: (bank, { item_id }) => bank.renumber(item_id),
  account_opened: (bank, { item_id }) => bank.openAccount(item_id),
  disabled: (bank, { item_id }) => bank.disableInstruments(item_id),
  disordered: (bank, item, webhooks) => {
    bank.repairLogin(item.item_id);
    webhooks.plaidItem(item, 'ITEM', 'ERROR', loginError());
  },
};

const loginError = () => ({ error: { ...plaidErrorObject('ITEM_LOGIN_REQUIRED'), status: 400 } });

export function createBank({
  state,
  now,
  webhooks,
  settings,
  closing,
}: Pick<Context, 'state' | 'now' | 'webhooks' | 'settings' | 'closing'>): Bank {
  function find(itemId: string): SimulatedItem {
    const item = state.items.get(itemId);
    if (!item) throw new Error(`The simulator has no Item ${itemId}.`);
    return item;
  }

  const bank: Bank = {
    verify(itemId, outcome) {
      const item = find(itemId);
      const code = outcome === 'automatically_verified' ? 'AUTOMATICALLY_VERIFIED' : 'VERIFICATION_EXPIRED';
      for (const account of item.accounts) {
        if (account.verification_status !== 'pending_automatic_verification') continue;
        account.verification_status = outcome;
        webhooks.plaidItem(item, 'AUTH', code, { account_id: account.account_id });
      }
    },
    breakLogin(itemId) {
      const item = find(itemId);
      item.login_required = true;
      webhooks.plaidItem(item, 'ITEM', 'ERROR', loginError());
    },
    repairLogin(itemId) {
      const item = find(itemId);
      signIn(item, now());
      webhooks.plaidItem(item, 'ITEM', 'LOGIN_REPAIRED');
    },
    revokePermission(itemId) {
      const item = find(itemId);
      item.login_required = true;
      webhooks.plaidItem(item, 'ITEM', 'USER_PERMISSION_REVOKED', {
        error: { ...plaidErrorObject('USER_PERMISSION_REVOKED'), status: 400 },
      });
    },
    revokeAccount(itemId, accountId) {
      const item = find(itemId);
      item.accounts = item.accounts.filter(({ account_id }) => account_id !== accountId);
      webhooks.plaidItem(item, 'ITEM', 'USER_ACCOUNT_REVOKED', { account_id: accountId });
    },
    withholdNumbers(itemId) {
      const item = find(itemId);
      item.products = item.products.filter((product) => product !== 'auth');
      webhooks.plaidItem(item, 'AUTH', 'PRODUCT_PERMISSIONS_REQUIRED');
    },
    renumber(itemId) {
      const item = find(itemId);
      item.accounts = item.accounts.map((account) => ({ ...account, number: `9${account.number.slice(1)}` }));
      const changed = item.accounts.map(({ account_id }) => [account_id, ['ACCOUNT_NUMBER']]);
      webhooks.plaidItem(item, 'AUTH', 'DEFAULT_UPDATE', {
        account_ids_with_new_auth: [],
        account_ids_with_updated_auth: Object.fromEntries(changed),
        error: null,
      });
    },
    announceDisconnect(itemId, code = 'PENDING_DISCONNECT') {
      const at = new Date(now() + WEEK_MS).toISOString();
      if (code === 'PENDING_EXPIRATION') find(itemId).consent_ends_at = Date.parse(at);
      const more =
        code === 'PENDING_DISCONNECT'
          ? { reason: 'INSTITUTION_TOKEN_EXPIRATION', disconnect_time: at }
          : { consent_expiration_time: at };
      webhooks.plaidItem(find(itemId), 'ITEM', code, more);
    },
    limitConsent(itemId, endsAt) {
      find(itemId).consent_ends_at = endsAt;
    },
    openAccount(itemId) {
      webhooks.plaidItem(find(itemId), 'ITEM', 'NEW_ACCOUNTS_AVAILABLE', { error: null });
    },
    disableInstruments(itemId) {
      for (const { resource } of state.instruments.values()) {
        const made = state.processorTokens.get(String(resource['third_party_token']));
        if (made?.item_id !== itemId || resource['enabled'] !== true) continue;
        setEnabled(resource, false, now());
        webhooks.finix('instrument', 'updated', resource);
      }
    },
    grantConsent(itemId, products) {
      const item = find(itemId);
      item.consented = [...new Set([...item.consented, ...products])];
    },
    signInAgain(itemId, { newIds = false } = {}) {
      const item = find(itemId);
      signIn(item, now());
      if (newIds) item.accounts = item.accounts.map((a): SimulatedAccount => ({ ...a, account_id: plaidId() }));
    },
    beginLater(item) {
      const { later } = item.scenario;
      if (!later) return;
      const timer = quietTimer(() => {
        if (!item.removed) LATER[later](bank, item, webhooks);
      }, settings.laterMs);
      closing.addEventListener('abort', () => clearTimeout(timer), { once: true });
    },
  };
  return bank;
}
