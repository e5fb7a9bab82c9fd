import { setTimeout as sleep } from 'node:timers/promises';
import { UpstreamError } from '../clients/outbound.ts';
import { accountsState, type LoginState, loginState } from '../connect/login-state.ts';
import {
  beginAgain,
  changeConnection,
  isDisabledInFinix,
  isOutOfUse,
  isReturned,
  revoke,
} from '../records/connections.ts';
import { isBusy } from '../records/items.ts';
import type { Unit } from '../records/unit.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import { ENDED_CONNECTION } from '../storage/statuses.ts';
import type { ConnectionTable, InboundEventTable, ItemTable } from '../storage/tables.ts';
import { NotNow } from '../work/retry.ts';
import type { Change, Outcome, WebhookDeps } from './change-connections.ts';
import { findItem, forItem, ofAccounts } from './item-events.ts';
import { isRepairedSince, isRepeat, lastRepair } from './login-repeats.ts';
import type { PlaidFacts } from './verify-plaid.ts';

/** Longer than Plaid takes on a good day; the account could be debited in the meantime. */
const PATIENCE_MS = 3_000;
type Answer = LoginState | 'none';

/**
 * The customer has taken the permission back, for the login or for one account. The debit is stopped before anything
 * else. Only an event that was handled before the repair, and that Plaid calls out of date by now, is a late copy.
 * While Plaid does not answer, such an event stops the debit as well, and stays in doubt: once Plaid calls the login
 * good, the connection gets another instrument, unless something else has ended it in the meantime.
 */
export async function revoked(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts): Promise<Outcome> {
  const isOfAccount = event.type === 'ITEM/USER_ACCOUNT_REVOKED';
  const reason = isOfAccount ? 'USER_ACCOUNT_REVOKED' : 'USER_PERMISSION_REVOKED';
  const item = await findItem(deps, event, facts);
  if (!item) return 'ignored';
  const ask = () => (isOfAccount ? accountsState(deps, item, facts.account_ids ?? []) : loginState(deps, item));
  const repairedAt = await lastRepair(deps, item, event);
  const accounts = isOfAccount ? facts.account_ids : undefined;
  const isRepairing = await isBeingRepaired(deps.storage.db, item, accounts);
  const mayBeLate = repairedAt !== undefined || isRepairing;
  const answer = mayBeLate ? await soon(ask) : 'unknown';
  const stopped = { ...facts.stopped };
  let isInDoubt = false;

  /** What may be a late copy: by Plaid's answer, or without one. */
  const handleCopy = async (unit: Unit, before: ConnectionTable, isOwn: boolean) => {
    if (answer === 'good') {
      if (!isOwn || isReturned(before)) return undefined;
      if (before.goal === null) return beginAgain(unit, before);
      // Its instrument is disabled before the next one is made.
      isInDoubt = true;
      return undefined;
    }
    // An operator may enable the instrument at Finix before Plaid answers.
    isInDoubt ||= isOwn || isDisabledInFinix(before);
    // Once is enough: what was repaired since is no longer in doubt.
    if (isOutOfUse(before) || facts.stopped?.[before.id] !== undefined) return undefined;
    isInDoubt = true;
    stopped[before.id] = unit.now;
    await put(unit, event, { facts: JSON.stringify({ ...facts, stopped }) });
    return revoke(unit, before, reason);
  };

  const change: Change = async (unit, before) => {
    if (before.status === 'failed' || before.goal === 'remove') return undefined;
    // By a repair whose commit came while it was looked for: Plaid is asked then.
    if (isRepairedSince(before, repairedAt, event)) throw new NotNow('changed', 0);
    const isOwn = before.status === 'revoked' && before.revoked_at === facts.stopped?.[before.id];
    const mayBeCopy = answer === 'good' || answer === 'none';
    if (mayBeCopy && (await isRepeat(unit.trx, event, before))) return handleCopy(unit, before, isOwn);
    if (isOwn) return undefined;
    if (before.status === 'revoked' && !isDisabledInFinix(before)) {
      if (answer === 'good') return undefined;
      // By a repair that began while it was looked for: an answer of before can be of before the customer signed in.
      if (!isRepairing && (await isBeingRepaired(unit.trx, item, accounts))) throw new NotNow('changed', 0);
      return noteAgain(unit, before, item, event);
    }
    // From here on it is handled, also when this process ends before the rest.
    event.handled_at ??= unit.now;
    await put(unit, event, { handled_at: event.handled_at });
    return revoke(unit, before, reason);
  };
  const each = isOfAccount ? ofAccounts(facts, change) : change;
  const outcome = await forItem(deps, event, facts, each, true);
  if (isInDoubt) throw new NotNow('in_doubt');
  return outcome;
}

/** Whether a session works on the login and no debit is left to stop: then there is time to ask Plaid. */
async function isBeingRepaired(
  db: Storage['db'] | StorageTransaction,
  { id }: ItemTable,
  accounts: string[] | undefined,
): Promise<boolean> {
  if (!(await isBusy(db, id))) return false;
  let used = db.selectFrom('connections').select('id').where('item_id', '=', id);
  used = used.where('status', 'not in', ENDED_CONNECTION);
  if (accounts) used = used.where('plaid_account_id', 'in', accounts);
  return (await used.executeTakeFirst()) === undefined;
}

/**
 * Revoked once more. A repair in progress began too early, and must learn of it; so must an event in doubt that would
 * make the connection usable again.
 */
async function noteAgain(
  unit: Unit,
  before: ConnectionTable,
  item: ItemTable,
  event: InboundEventTable,
): Promise<ConnectionTable | undefined> {
  const inDoubt = await unit.trx
    .selectFrom('inbound_events')
    .select('id')
    .where('subject', '=', item.plaid_item_id)
    .where('status', '=', 'received')
    .where('facts', 'like', '%"stopped":%')
    .where('id', '!=', event.id)
    .executeTakeFirst();
  if (!inDoubt && !(await isBusy(unit.trx, before.item_id))) return undefined;
  return changeConnection(unit, before, { revoked_at: Math.max(unit.now, (before.revoked_at ?? 0) + 1) });
}

async function put({ trx }: Unit, { id }: InboundEventTable, patch: Partial<InboundEventTable>): Promise<void> {
  await trx.updateTable('inbound_events').set(patch).where('id', '=', id).execute();
}

/** A revocation does not wait for a Plaid that is down or silent. */
async function soon(ask: () => Promise<LoginState>): Promise<Answer> {
  const answered = new AbortController();
  const late = sleep(PATIENCE_MS, undefined, { signal: answered.signal })
    .catch(() => {})
    .then((): Answer => 'none');
  try {
    return await Promise.race([ask(), late]);
  } catch (error) {
    if (error instanceof UpstreamError) return 'none';
    throw error;
  } finally {
    answered.abort();
  }
}
