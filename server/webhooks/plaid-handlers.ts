import { UpstreamError } from '../clients/outbound.ts';
import { isBankDown } from '../clients/plaid-codes.ts';
import { timeOf } from '../clients/provider-json.ts';
import { isPendingVerification, isUsable } from '../connect/choose-accounts.ts';
import { consentEnd, type LoginState, loginState, numbersState, sharedAccounts } from '../connect/login-state.ts';
import { releaseItem } from '../lifecycle/remove-item.ts';
import { isReturnedForNumbers } from '../lifecycle/return-codes.ts';
import { addAudit } from '../records/audit.ts';
import {
  beginAgain,
  beginInstrument,
  beginRenewal,
  changeConnection,
  isBeingMade,
  isDisabledInFinix,
  isReturned,
  loginBreak,
  noteLoginBreak,
  renewal,
  revoke,
  verifiedNow,
} from '../records/connections.ts';
import { sessionAbout } from '../records/items.ts';
import type { Unit } from '../records/unit.ts';
import type { ConnectionTable, InboundEventTable, ItemTable, RecoveryPoint } from '../storage/tables.ts';
import { NotNow, Postpone } from '../work/retry.ts';
import { BUSY_MS, type Change, type Outcome, type WebhookDeps } from './change-connections.ts';
import { finishHostedLink } from './hosted-link-handlers.ts';
import { findItem, forItem, ofAccounts } from './item-events.ts';
import { isRepairedSince, isRepeat, lastRepair } from './login-repeats.ts';
import { revoked } from './revocations.ts';
import { type PlaidFacts, readPlaidFacts } from './verify-plaid.ts';

type Handler = (deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts) => Promise<Outcome>;

/**
 * What each webhook means for a connection. Handlers act on the provider's current state, not on event order: webhooks
 * arrive late, duplicated and out of order. Work at Plaid or Finix becomes a task of the connection first, so that it
 * completes even if this process ends.
 */
const HANDLERS: Record<string, Handler> = {
  'AUTH/AUTOMATICALLY_VERIFIED': verified,
  'AUTH/VERIFICATION_EXPIRED': verificationFailed,
  'AUTH/SMS_MICRODEPOSITS_VERIFICATION': verificationEnded,
  'AUTH/DEFAULT_UPDATE': newNumbers,
  'AUTH/PRODUCT_PERMISSIONS_REQUIRED': numbersWithheld,
  'ITEM/ERROR': itemError,
  'ITEM/LOGIN_REPAIRED': loginRepaired,
  'ITEM/PENDING_DISCONNECT': needsRepair,
  'ITEM/PENDING_EXPIRATION': needsRepair,
  'ITEM/USER_PERMISSION_REVOKED': revoked,
  'ITEM/USER_ACCOUNT_REVOKED': revoked,
  'ITEM/NEW_ACCOUNTS_AVAILABLE': noted,
  'ITEM/WEBHOOK_UPDATE_ACKNOWLEDGED': noted,
  'LINK/SESSION_FINISHED': finishHostedLink,
  'LINK/ITEM_ADD_RESULT': finishHostedLink,
};

/** @throws NotNow, Postpone, UpstreamError when it has to be handled again later */
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

/** The account is verified at last: now there can be an instrument, and no webhook about that comes again. */
function verified(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts): Promise<Outcome> {
  const begin: Change = (unit, before) => {
    if (before.payment_instrument !== null || !awaitsVerificationOrRepair(before)) return undefined;
    return beginInstrument(unit, before, verifiedNow(before, unit.now));
  };
  return forItem(deps, event, facts, ofAccounts(facts, begin));
}

/**
 * A customer has entered the deposits. A status that Plaid has not published is no refusal: then the account's counts.
 */
async function verificationEnded(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts): Promise<Outcome> {
  if (facts.status === 'MANUALLY_VERIFIED') return verified(deps, event, facts);
  if (facts.status === 'VERIFICATION_FAILED') return verificationFailed(deps, event, facts);
  const item = await findItem(deps, event, facts);
  const accounts = item ? await sharedAccounts(deps, item) : [];
  const account = accounts.find(({ id }) => facts.account_ids?.includes(id));
  if (!account || isPendingVerification(account)) return 'ignored';
  return (isUsable(account) ? verified : verificationFailed)(deps, event, facts);
}

async function verificationFailed(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts): Promise<Outcome> {
  const failed: ConnectionTable[] = [];
  const fail: Change = async (unit, before) => {
    // Failed by a process that ended before it released the Item.
    if (before.status === 'failed' && before.error_code === 'verification_failed') failed.push(before);
    if (before.payment_instrument !== null || !awaitsVerificationOrRepair(before) || before.goal !== null)
      return undefined;
    const patch = { status: 'failed', error_code: 'verification_failed', reason: event.type } as const;
    const after = await changeConnection(unit, before, patch);
    failed.push(after);
    return after;
  };
  const outcome = await forItem(deps, event, facts, ofAccounts(facts, fail));
  // Plaid has locked the Item for good; it only bills.
  for (const connection of failed) await releaseItem(deps, connection).catch(leaveToJobs);
  return outcome;
}

/**
 * Plaid: stop using the old numbers at once. That does not wait for a session that works on the Item, which may itself
 * wait for days. A repair that has not read the account yet waits for the renewal. Of an account that a session is just
 * connecting, or renewing, the old instrument is out of use at once, and the event stays for those accounts alone.
 */
async function newNumbers(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts): Promise<Outcome> {
  const later = new Set<string>();
  const renew: Change = async (unit, before) => {
    const session = await sessionAbout(unit.trx, before);
    const isConnecting = session !== undefined && session.repair_connection_id === null;
    const isFree = session === undefined || (!isConnecting && BEFORE_READING.has(session.recovery_point));
    // The old instrument is just being disabled, as after a return for its numbers: that task comes to its end first.
    const isStopping = before.goal === 'disable' && hasOldNumbers(before);
    if (isFree && !isStopping) return renewNumbers(unit, before, event.type);
    later.add(before.plaid_account_id);
    const left = JSON.stringify({ ...facts, account_ids: [...later] });
    await unit.trx.updateTable('inbound_events').set({ facts: left }).where('id', '=', event.id).execute();
    if (!isConnecting || before.payment_instrument === null || !hasOldNumbers(before)) return undefined;
    return changeConnection(unit, before, { ...renewal(before), status: 'needs_repair', reason: event.type });
  };
  const outcome = await forItem(deps, event, facts, ofAccounts(facts, renew), true);
  if (later.size > 0) throw new NotNow('in_use', BUSY_MS);
  return outcome;
}

/** A repair reads the account again from here, also when it has changed in the meantime. */
const BEFORE_READING: ReadonlySet<RecoveryPoint> = new Set(['started', 'item_linked']);

function renewNumbers(unit: Unit, before: ConnectionTable, reason: string): Promise<ConnectionTable> | undefined {
  // A create call may have been carried out with the numbers between the last ones and these.
  if (isBeingMade(before)) return beginInstrument(unit, before, { isRenumbered: true });
  if (before.payment_instrument === null)
    return awaitsVerificationOrRepair(before) ? beginInstrument(unit, before) : undefined;
  // Enabling it there must not bring the old numbers back.
  if (isDisabledInFinix(before)) return revoke(unit, before, reason);
  // New numbers repair no login.
  return hasOldNumbers(before) ? beginRenewal(unit, before, loginBreak(before) ?? reason) : undefined;
}

/** Whether its instrument is in use, with the numbers of before. */
function hasOldNumbers(before: ConnectionTable): boolean {
  // Only its customer makes an account usable again whose debits came back for another reason than its numbers.
  if (isReturned(before) && !isReturnedForNumbers(before)) return false;
  return before.status === 'active' || before.status === 'needs_repair';
}

/**
 * The customer is asked to sign in again; until then the instrument may still work. An announcement that comes after
 * the repair which it asks for is no longer true.
 */
async function needsRepair(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts): Promise<Outcome> {
  const item = await findItem(deps, event, facts);
  if (!item) return 'ignored';
  const repairedAt = await lastRepair(deps, item, event);
  if (repairedAt !== undefined && !(await isEndAhead(deps, item, timeOf(facts.consent_expires_at)))) return 'ignored';
  const reason = facts.error_code ?? event.type.split('/')[1] ?? event.type;
  const endsAt = timeOf(facts.consent_expires_at);
  return forItem(deps, event, facts, async (unit, before) => {
    // A repair that came while Plaid was asked, or instead of it.
    if (isRepairedSince(before, repairedAt, event)) throw new NotNow('changed', 0);
    // Its body carries the time of the end that it announces, so the same body is the same event.
    if (await isRepeat(unit.trx, event, before)) return undefined;
    const ends = endsAt === null ? {} : { consent_expires_at: endsAt };
    if (isBeingMade(before)) return noteBreak(unit, before, { ...ends, reason });
    const isChange = before.status === 'active' || before.status === 'pending_verification';
    if (!isChange && before.consent_expires_at === (endsAt ?? before.consent_expires_at)) return undefined;
    return changeConnection(unit, before, { ...ends, ...(isChange ? { status: 'needs_repair', reason } : {}) });
  });
}

/** Whether the login still comes to the end that was announced, by Plaid's present answer. */
async function isEndAhead(deps: WebhookDeps, item: ItemTable, announced: number | null): Promise<boolean> {
  if ((await loginState(deps, item)) !== 'good') return true;
  const end = await consentEnd(deps, item);
  // Plaid's API gives the end of the customer's consent only, and not that of a bank's connection for another reason.
  if (announced === null || end === undefined || end === null) return false;
  return end <= announced;
}

async function itemError(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts): Promise<Outcome> {
  // An instance of another version may have stored it by this name.
  if (facts.error_code === 'USER_PERMISSION_REVOKED') return revoked(deps, event, facts);
  // The bank's trouble, not the customer's: it passes by itself.
  if (isBankDown(facts.error_code ?? '')) return 'ignored';
  return unlessRepaired(deps, event, facts, loginState);
}

/** The account numbers are no longer shared. */
function numbersWithheld(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts): Promise<Outcome> {
  return unlessRepaired(deps, event, facts, numbersState);
}

/**
 * The login needs its customer, unless it was repaired since. Where there was a repair, Plaid's present answer decides,
 * and nothing else: the webhook carries no time, so that a second break looks like a late copy of the first.
 */
async function unlessRepaired(
  deps: WebhookDeps,
  event: InboundEventTable,
  facts: PlaidFacts,
  ask: (deps: WebhookDeps, item: ItemTable) => Promise<LoginState>,
): Promise<Outcome> {
  const item = await findItem(deps, event, facts);
  if (!item) return 'ignored';
  const repairedAt = await lastRepair(deps, item, event);
  if (repairedAt !== undefined && (await ask(deps, item)) === 'good') return 'ignored';
  const reason = facts.error_code ?? event.type.split('/')[1] ?? event.type;
  return forItem(deps, event, facts, async (unit, before) => {
    // A repair that came while Plaid was asked, or instead of it.
    if (isRepairedSince(before, repairedAt, event)) throw new NotNow('changed', 0);
    if (isBeingMade(before)) return noteBreak(unit, before, { reason });
    if (before.status !== 'active' && before.status !== 'pending_verification') return undefined;
    return changeConnection(unit, before, { status: 'needs_repair', reason });
  });
}

/** Of two reasons the first stays, as for a connection that has its instrument. */
async function noteBreak(
  unit: Unit,
  before: ConnectionTable,
  { reason, ...ends }: Parameters<typeof noteLoginBreak>[2],
): Promise<undefined> {
  await noteLoginBreak(unit, before, { ...ends, reason: loginBreak(before) ?? reason });
}

async function loginRepaired(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts): Promise<Outcome> {
  const item = await findItem(deps, event, facts);
  if (!item) return 'ignored';
  // It may have broken again since, or have been removed.
  const isGood = (await loginState(deps, item)) === 'good';
  const consent_expires_at = isGood ? await consentEnd(deps, item) : undefined;
  return forItem(deps, event, facts, (unit, before) => {
    // What is leaving stays as it is, and its worker undisturbed. A good login does not bring back an instrument that
    // was disabled for a return.
    if (before.goal === 'remove' || isReturned(before)) return undefined;
    const consent = consent_expires_at === undefined ? {} : { consent_expires_at };
    // The instrument that is just being made is not of a broken login any more.
    const isAnswered = isGood && before.status !== 'needs_repair' && loginBreak(before) !== null;
    const known = { repaired_at: unit.now, ...consent, ...(isAnswered ? { reason: null } : {}) };
    if (before.status !== 'needs_repair' || !isGood) return changeConnection(unit, before, known);
    if (before.payment_instrument !== null) {
      return changeConnection(unit, before, { ...known, status: 'active', reason: null });
    }
    return beginAgain(unit, before, known);
  });
}

function noted(deps: WebhookDeps, event: InboundEventTable, facts: PlaidFacts): Promise<Outcome> {
  const action = `plaid.${(event.type.split('/')[1] ?? '').toLowerCase()}`;
  return forItem(deps, event, facts, async (unit, before) => {
    await addAudit(unit.trx, unit.now, unit.by, action, { session: before.session_id, connection: before.id });
    return undefined;
  });
}

function awaitsVerificationOrRepair({ status }: ConnectionTable): boolean {
  return status === 'pending_verification' || status === 'needs_repair';
}

/** The Item is marked; a job removes it once Plaid can. */
function leaveToJobs(error: unknown): void {
  if (!(error instanceof UpstreamError) && !(error instanceof Postpone)) throw error;
}
