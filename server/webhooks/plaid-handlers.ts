import type { FinixClient } from '../clients/finix.ts';
import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import { isBankDown } from '../clients/plaid-codes.ts';
import type { Config } from '../config.ts';
import type { BankConnector } from '../connect/bank-connector.ts';
import { letGoOfItem } from '../lifecycle/remove-item.ts';
import type { Logger } from '../log.ts';
import { addAudit, type By } from '../records/audit.ts';
import { beginInstrument, beginRenewal, changeConnection, lockConnection, revoke } from '../records/connections.ts';
import { isBusy } from '../records/items.ts';
import type { Outbox } from '../records/outbox.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { ConnectionTable, InboundEventTable, ItemTable } from '../storage/tables.ts';
import { Postpone } from '../work/retry.ts';
import type { Timing } from '../work/timing.ts';
import { finishHostedLink } from './hosted-link-handlers.ts';
import { isRepeatOfOldNews, loginState, REPEATS_MS, wasJustRepaired } from './login-state.ts';
import type { PlaidFacts } from './verify-plaid.ts';

/**
 * What each webhook means for a connection. By what is true now, not by the order in which news come: they come late, twice and in any
 * order. What has to be done at Plaid or Finix becomes a goal of the connection first, so that it is done even if this process ends.
 */
export interface WebhookDeps {
  config: Pick<Config, 'plaid'>;
  storage: Storage;
  secrets: Secrets;
  plaid: PlaidClient;
  finix: FinixClient;
  outbox: Outbox;
  timing: Timing;
  connector: BankConnector;
  goals: { run(id: string): Promise<void> };
  log: Logger;
}

export type Outcome = 'handled' | 'ignored';

/** For how long a webhook may be ahead of our own knowledge of its Item: the exchange's answer comes seconds after. */
const AHEAD_MS = 15 * 60_000;
/** A session at work on the Item is done within seconds. */
const BUSY_MS = 2_000;

/** One change of one connection; undefined: not for this one. */
type Change = (
  trx: StorageTransaction,
  before: ConnectionTable,
  now: number,
  by: By,
) => Promise<ConnectionTable | undefined> | undefined;

type Handler = (deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts) => Promise<Outcome>;

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
  const facts = JSON.parse(event.facts) as PlaidFacts;
  const handler = HANDLERS[event.type];
  if (!handler) return 'ignored';
  if (facts.environment !== undefined && facts.environment !== deps.config.plaid.environment) {
    deps.log.warn({ event: event.id, environment: facts.environment }, 'a webhook of another Plaid environment');
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
  for (const connection of failed) await letGoOfItem(deps, connection).catch(leaveToJobs);
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
    if (await isRepeatOfOldNews(trx, event, before)) return undefined;
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
    const isMended = before.status === 'needs_repair' && !isBroken;
    const status = before.payment_instrument === null ? 'pending_verification' : 'active';
    const patch = isMended ? ({ status, reason: null, repaired_at: now } as const) : { repaired_at: now };
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
    if (isGood && (await isRepeatOfOldNews(trx, event, before))) return undefined;
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

/** Changes connections of one Item together, then works on the goals that came of it. @throws Postpone while a session has them */
export async function change(
  deps: WebhookDeps,
  event: InboundEventTable,
  itemId: string,
  ids: string[],
  each: Change,
): Promise<void> {
  const { storage, goals } = deps;
  const now = await storage.now();
  const by: By = { actor: event.source, details: { webhook: event.type } };
  const customer = await customerOf(storage, itemId);
  if (customer === undefined) return;
  const due = await storage.transaction(`customer:${customer}`, async (trx) => {
    const withGoals: string[] = [];
    await refuseOvertaken(trx, event, now);
    await trx
      .updateTable('items')
      .set((eb) => ({ updated_at: eb.ref('updated_at') }))
      .where('id', '=', itemId)
      .execute();
    if (await isBusy(trx, itemId)) throw new Postpone('internal_error', BUSY_MS, false);
    for (const id of ids) {
      const before = await lockConnection(trx, id);
      const after = before && before.status !== 'removed' ? await each(trx, before, now, by) : undefined;
      if (after?.goal) withGoals.push(id);
    }
    return withGoals;
  });
  await Promise.all(due.map((id) => goals.run(id)));
}

/** Whose Item it is; undefined: it has been deleted by age, with all that belonged to it. */
async function customerOf({ db }: Storage, itemId: string): Promise<string | undefined> {
  const session = await db
    .selectFrom('items')
    .innerJoin('sessions', 'sessions.id', 'items.session_id')
    .select('sessions.customer_id')
    .where('items.id', '=', itemId)
    .executeTakeFirst();
  if (session) return session.customer_id;
  const [connection] = await db.selectFrom('connections').select('customer_id').where('item_id', '=', itemId).execute();
  return connection?.customer_id;
}

/**
 * A process that was frozen while it handled the webhook comes back with an answer of before; somebody else has handled it since, or
 * a later one about the same thing, for which its time must be over.
 * @throws Postpone
 */
async function refuseOvertaken(
  trx: StorageTransaction,
  { id, lease_until }: InboundEventTable,
  now: number,
): Promise<void> {
  const held = await trx
    .updateTable('inbound_events')
    .set({ lease_until })
    .where('id', '=', id)
    .where('status', '=', 'received')
    .where('lease_until', '=', lease_until)
    .where('lease_until', '>', now)
    .executeTakeFirst();
  if (held.numUpdatedRows === 0n) throw new Postpone('internal_error', 0, false);
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
