import { UpstreamError } from '../clients/outbound.ts';
import { isBankDown } from '../clients/plaid-codes.ts';
import { releaseItem } from '../lifecycle/remove-item.ts';
import { addAudit } from '../records/audit.ts';
import { beginInstrument, beginRenewal, changeConnection, revoke } from '../records/connections.ts';
import type { ConnectionTable, InboundEventTable, ItemTable } from '../storage/tables.ts';
import { Postpone } from '../work/retry.ts';
import { type Change, change, type Outcome, type WebhookDeps } from './change-connections.ts';
import { finishHostedLink } from './hosted-link-handlers.ts';
import { isRepeatOfOldEvent, loginState, REPEATS_MS, wasJustRepaired } from './login-state.ts';
import { type PlaidFacts, readPlaidFacts } from './verify-plaid.ts';

/** For how long a webhook may be ahead of our own knowledge of its Item: the exchange's answer comes seconds after. */
const AHEAD_MS = 15 * 60_000;
type Handler = (deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts) => Promise<Outcome>;

/**
 * What each webhook means for a connection. Handlers act on the provider's current state, not on event order: webhooks arrive late,
 * duplicated and out of order. Work at Plaid or Finix becomes a task of the connection first, so that it completes even if this
 * process ends.
 */
const HANDLERS: Record<string, Handler> = {
  'AUTH/AUTOMATICALLY_VERIFIED': verified,
  'AUTH/VERIFICATION_EXPIRED': verificationFailed,
  'AUTH/SMS_MICRODEPOSITS_VERIFICATION': (deps, event, facts) =>
    (facts.status === 'MANUALLY_VERIFIED' ? verified : verificationFailed)(deps, event, facts),
  'AUTH/DEFAULT_UPDATE': newNumbers,
  'AUTH/PRODUCT_PERMISSIONS_REQUIRED': wantsRepair,
  'ITEM/ERROR': itemError,
  'ITEM/LOGIN_REPAIRED': loginRepaired,
  'ITEM/PENDING_DISCONNECT': wantsRepair,
  'ITEM/PENDING_EXPIRATION': wantsRepair,
  'ITEM/USER_PERMISSION_REVOKED': revoked,
  'ITEM/USER_ACCOUNT_REVOKED': revoked,
  'ITEM/NEW_ACCOUNTS_AVAILABLE': noted,
  'ITEM/WEBHOOK_UPDATE_ACKNOWLEDGED': noted,
  'LINK/SESSION_FINISHED': finishHostedLink,
  'LINK/ITEM_ADD_RESULT': finishHostedLink,
};

/** @throws Postpone, UpstreamError when it has to be handled again later */
export async function handlePlaidWebhook(deps: WebhookDeps, event: InboundEventTable): Promise<Outcome> {
  const facts = readPlaidFacts(event.facts);
  const handler = HANDLERS[event.type];
  if (!handler) return 'ignored';
  if (facts.environment !== undefined && facts.environment !== deps.config.plaid.environment) {
    deps.log.warn({ event: event.id, environment: facts.environment }, 'webhook of another Plaid environment ignored');
    return 'ignored';
  }
  return handler(deps, event, facts);
}

/** The account is verified at last: now there can be an instrument. */
function verified(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts): Promise<Outcome> {
  return forAccounts(deps, event, facts, (trx, before, now, by) =>
    before.payment_instrument === null && isWaiting(before)
      ? beginInstrument(trx, deps.outbox, before, now, by)
      : undefined,
  );
}

async function verificationFailed(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts): Promise<Outcome> {
  const failed: ConnectionTable[] = [];
  const outcome = await forAccounts(deps, event, facts, async (trx, before, now, by) => {
    if (before.payment_instrument !== null || !isWaiting(before) || before.goal !== null) return undefined;
    const patch = { status: 'failed', error_code: 'verification_failed', reason: event.type } as const;
    const after = await changeConnection(trx, deps.outbox, before, patch, now, by);
    failed.push(after);
    return after;
  });
  // Plaid has locked the Item for good; it only bills.
  for (const connection of failed) await releaseItem(deps, connection).catch(leaveToJobs);
  return outcome;
}

/** Plaid: stop using the old numbers at once. */
function newNumbers(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts): Promise<Outcome> {
  return forAccounts(deps, event, facts, (trx, before, now, by) => {
    if (before.payment_instrument === null) {
      return isWaiting(before) ? beginInstrument(trx, deps.outbox, before, now, by) : undefined;
    }
    const isInUse = before.status === 'active' || before.status === 'needs_repair';
    return isInUse ? beginRenewal(trx, deps.outbox, before, event.type, now, by) : undefined;
  });
}

/**
 * The customer is asked to sign in again; until then the instrument may still work.
 * @param unrepaired nothing was known of a repair before; one that shows itself now came beside this, and Plaid must be asked
 */
async function wantsRepair(
  deps: WebhookDeps,
  event: InboundEventTable,
  facts: PlaidFacts,
  unrepaired = false,
): Promise<Outcome> {
  const reason = facts.error_code ?? event.type.split('/')[1] ?? event.type;
  return forItem(deps, event, facts, async (trx, before, now, by) => {
    if (unrepaired && (before.repaired_at ?? 0) > now - REPEATS_MS) throw new Postpone('internal_error', 0, false);
    if (before.status !== 'active' && before.status !== 'pending_verification') return undefined;
    if (await isRepeatOfOldEvent(trx, event, before)) return undefined;
    return changeConnection(trx, deps.outbox, before, { status: 'needs_repair', reason }, now, by);
  });
}

async function itemError(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts): Promise<Outcome> {
  if (facts.error_code === 'USER_PERMISSION_REVOKED') return revoked(deps, event, facts);
  // The bank's trouble, not the customer's: it passes by itself.
  if (isBankDown(facts.error_code ?? '')) return 'ignored';
  const item = await findItem(deps, event, facts);
  if (!item) return 'ignored';
  // Only Plaid knows whether this came before the repair or after it.
  const isRepaired = await wasJustRepaired(deps, item);
  if (isRepaired && (await loginState(deps, item)) === 'good') return 'ignored';
  return wantsRepair(deps, event, facts, !isRepaired);
}

async function loginRepaired(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts): Promise<Outcome> {
  const item = await findItem(deps, event, facts);
  if (!item) return 'ignored';
  // It may have broken again since.
  const isBroken = (await loginState(deps, item)) === 'broken';
  return forItem(deps, event, facts, (trx, before, now, by) => {
    const isRepaired = before.status === 'needs_repair' && !isBroken;
    const status = before.payment_instrument === null ? 'pending_verification' : 'active';
    const patch = isRepaired ? ({ status, reason: null, repaired_at: now } as const) : { repaired_at: now };
    return changeConnection(trx, deps.outbox, before, patch, now, by);
  });
}

/** The customer has taken the permission back, for the login or for one account. */
async function revoked(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts): Promise<Outcome> {
  const reason = event.type === 'ITEM/USER_ACCOUNT_REVOKED' ? 'USER_ACCOUNT_REVOKED' : 'USER_PERMISSION_REVOKED';
  const item = await findItem(deps, event, facts);
  if (!item) return 'ignored';
  const isGood = (await wasJustRepaired(deps, item)) && (await loginState(deps, item)) === 'good';
  const change: Change = async (trx, before, now, by) => {
    if (before.status === 'failed' || before.status === 'revoked') return undefined;
    // Given again since, and this the same news once more. In any other doubt: no debit.
    if (isGood && (await isRepeatOfOldEvent(trx, event, before))) return undefined;
    return revoke(trx, deps.outbox, before, reason, now, by);
  };
  return reason === 'USER_ACCOUNT_REVOKED'
    ? forAccounts(deps, event, facts, change)
    : forItem(deps, event, facts, change);
}

function noted(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts): Promise<Outcome> {
  const action = `plaid.${(event.type.split('/')[1] ?? '').toLowerCase()}`;
  return forItem(deps, event, facts, async (trx, before, now, by) => {
    await addAudit(trx, now, by, action, { session: before.session_id, connection: before.id });
    return undefined;
  });
}

async function forAccounts(
  deps: WebhookDeps,
  event: InboundEventTable,
  facts: PlaidFacts,
  each: Change,
): Promise<Outcome> {
  const accounts = facts.account_ids ?? [];
  return forItem(deps, event, facts, (trx, before, now, by) =>
    accounts.includes(before.plaid_account_id) ? each(trx, before, now, by) : undefined,
  );
}

async function forItem(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts, each: Change): Promise<Outcome> {
  const item = await findItem(deps, event, facts);
  if (!item) return 'ignored';
  const connections = await deps.storage.db
    .selectFrom('connections')
    .select('id')
    .where('item_id', '=', item.id)
    .where('status', '!=', 'removed')
    .orderBy('id')
    .execute();
  await change(
    deps,
    event,
    item.id,
    connections.map(({ id }) => id),
    each,
  );
  return 'handled';
}

/** @returns undefined when the Item is none of ours, or gone */
async function findItem(
  { storage }: WebhookDeps,
  event: InboundEventTable,
  { item_id: plaidId }: PlaidFacts,
): Promise<ItemTable | undefined> {
  if (plaidId === undefined) return undefined;
  const item = await storage.db.selectFrom('items').selectAll().where('plaid_item_id', '=', plaidId).executeTakeFirst();
  if (item) return item.status === 'linked' ? item : undefined;
  // The answer to the exchange may be still on its way.
  if ((await storage.now()) - event.received_at < AHEAD_MS) throw new Postpone('internal_error');
  return undefined;
}

function isWaiting({ status }: ConnectionTable): boolean {
  return status === 'pending_verification' || status === 'needs_repair';
}

/** The Item is marked; a job removes it once Plaid can. */
function leaveToJobs(error: unknown): void {
  if (!(error instanceof UpstreamError) && !(error instanceof Postpone)) throw error;
}
