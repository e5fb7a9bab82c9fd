import { sql } from 'kysely';
import type { IdentityInput } from '../../widget/contract.ts';
import { type FinixClient, LIST_TOO_LONG } from '../clients/finix.ts';
import { UpstreamError } from '../clients/outbound.ts';
import { readIdentity } from '../records/columns.ts';
import {
  announceCall,
  identityCall,
  identityCallsOf,
  putCall,
  settleCalls,
  settleCallsLast,
} from '../records/create-calls.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import { insertRow, updateRow } from '../storage/row-writes.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { CreateCallTable, CustomerTable, SessionTable } from '../storage/tables.ts';
import type { AgreedClock } from '../work/agreed-clock.ts';
import { nextCreateStep, outcomeOfFailure, type SeenInstrument, toOpenCall } from '../work/create-call.ts';
import { countElapsed } from '../work/elapsed.ts';
import { Postpone, Stop } from '../work/retry.ts';
import type { HeldSession } from '../work/session-lease.ts';
import type { Timing } from '../work/timing.ts';
import { newCustomer, notItsTurn, roleOf, takeTurn } from './identity-turn.ts';
import { CALL_TAG } from './instrument-list.ts';
import { restartQuietPeriod } from './restart-quiet-period.ts';
import { waitForQuietPeriod } from './wait-for-quiet-period.ts';

/**
 * The customer's identity at Finix: the one the merchant named, else the customer's earlier one, else a new one. Its
 * create call has no idempotency key either, so it follows the same rule as instruments: after a lost answer look, wait
 * for the quiet period, look again.
 */
export interface IdentityDeps {
  storage: Storage;
  /** See InstrumentDeps. */
  clock: Pick<AgreedClock, 'now' | 'informed'>;
  secrets: Secrets;
  finix: FinixClient;
  /** Milliseconds; see InstrumentDeps. */
  quietMs: number;
  timing: Timing;
}

const TAG = 'finix_bank_connect_customer';
/** How far Finix's clock may be behind ours. All customers' identities are in this list, so it must stay short. */
const CLOCK_MARGIN_MS = 60_000;

/** @returns the id of an identity that exists at Finix */
export async function readyIdentity(deps: IdentityDeps, held: HeldSession): Promise<string> {
  const session = held.row;
  if (session.finix_identity !== null) return session.finix_identity;
  const found = await findCustomer(deps.storage, session.customer_id, roleOf(session));
  // Nothing was ever announced for a customer without a row.
  if (!found && !held.looksFirst) {
    const customer = newCustomer(session, await deps.storage.now());
    return create(deps, held, customer, { isNew: true, hasLooked: false });
  }
  const customer = found && found.finix_identity !== null ? found : await takeTurn(deps, session);
  if (customer.finix_identity !== null) {
    held.known.hasIdentity = true;
    return customer.finix_identity;
  }

  const calls = await openCallsOf(deps, customer);
  let seen: SeenInstrument[] | undefined;
  const decide = async () =>
    nextCreateStep({
      calls: calls.map(toOpenCall),
      mustLook: held.looksFirst,
      seen,
      now: await deps.clock.now(),
      quietMs: deps.quietMs,
    });
  let step = await decide();
  if (step.kind === 'look') {
    seen = await lookBack(deps, held, customer, calls);
    step = await decide();
  }
  await waitForQuietPeriod(deps, step);
  if (step.kind === 'adopt') {
    const decided = calls.filter(({ id }) => seen?.some(({ call }) => call === id)).map(({ id }) => id);
    return keepIdentity(deps, customer, step.id, decided);
  }
  return create(deps, held, customer, { isNew: false, hasLooked: seen !== undefined });
}

/** The customer's calls that are in doubt. One that a server of version 0.1 has left in its column becomes a row. */
async function openCallsOf(
  { storage, clock, quietMs }: IdentityDeps,
  customer: CustomerTable,
): Promise<CreateCallTable[]> {
  // After a pause the agreed time is behind until a provider has responded.
  const now = await clock.informed();
  const calls = await identityCallsOf(storage.db, customer);
  const { identity_sent_at: sentAt } = customer;
  if (sentAt !== null && calls.length === 0) {
    const left = { ...identityCall(customer, sentAt), look_at: sentAt + quietMs };
    await putCall(storage.db, left);
    calls.push(left);
  }
  for (const call of calls) {
    if (call.sent_at <= now) continue;
    // The clock was set back since; see makeInstrument.
    Object.assign(call, { sent_at: now, look_at: now + quietMs });
    await putCall(storage.db, call);
  }
  return calls;
}

interface Decided {
  /** The customer has no row. */
  isNew: boolean;
  /** At Finix's list. */
  hasLooked: boolean;
}

async function create(
  deps: IdentityDeps,
  held: HeldSession,
  customer: CustomerTable,
  { isNew, hasLooked }: Decided,
): Promise<string> {
  const { finix, storage, timing } = deps;
  const input = identityInput(deps, held.row);
  const elapsed = await countElapsed(storage);
  const call = await (isNew ? announceNew(deps, held, customer) : announce(deps, held, customer));
  if (held.looksFirst && !hasLooked) {
    // An older copy of the database was restored since it was decided to create. The call was not sent.
    await endTurn(deps, held, customer, (trx) => settleCalls(trx, [call.id]));
    throw new Postpone('finix_unavailable', 0, false);
  }
  // A process that was frozen here may be long behind, while the quiet period of others counts from sent_at.
  if ((await elapsed()) > timing.lookAgainMs) throw new Postpone('finix_unavailable', 0, false);
  try {
    const identity = await finix.createIdentity({
      entity: { ...input },
      // Finix makes a seller of far more than a name: the merchant names one that exists.
      role: customer.role === 'SELLER' ? 'RECIPIENT' : customer.role,
      type: input.business_name === undefined ? 'PERSONAL' : 'BUSINESS',
      tags: { [TAG]: customer.identity_tag, [CALL_TAG]: call.id },
    });
    held.join({}, (trx, now) => keepOnlyIdentity(trx, customer, identity.id, call, now), 'rows');
    held.known.hasIdentity = true;
    return identity.id;
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const outcome = outcomeOfFailure(error.failure, error.details.status);
    if (outcome === 'nothing') {
      await endTurn(deps, held, customer, (trx) => settleCalls(trx, [call.id]));
    } else {
      const answered = await restartQuietPeriod(deps, { ...call, outcome }, await elapsed());
      if (outcome === null) throw new Postpone('finix_unavailable', 0);
      await endTurn(deps, held, customer, (trx) => putCall(trx, answered));
    }
    if (error.failure !== 'refused') throw error;
    const field = error.details.field ? ` (field ${error.details.field})` : '';
    throw new Stop('failed', 'instrument_refused', {
      detail: `Finix declined the customer's identity${field}.`,
      action: 'contact_merchant',
    });
  }
}

/** Keeps an identity that the merchant named, once it has proved good, for the customer's later sessions. */
export async function rememberIdentity(trx: StorageTransaction, session: SessionTable, now: number): Promise<void> {
  if (session.finix_identity === null) return;
  await trx
    .insertInto('customers')
    .values({ ...newCustomer(session, now), finix_identity: session.finix_identity })
    .onConflict((conflict) =>
      conflict
        .columns(['customer_id', 'role'])
        .doUpdateSet({ finix_identity: session.finix_identity, updated_at: now })
        .where('customers.finix_identity', 'is', null),
    )
    .execute();
}

/**
 * Commits that a create call is about to be sent. Under the session's fence and the customer's turn: a worker that was
 * frozen since it read the customer must not send a second one.
 */
async function announce(
  { clock, quietMs }: IdentityDeps,
  held: HeldSession,
  customer: CustomerTable,
): Promise<CreateCallTable> {
  const sentAt = await clock.informed();
  const call = { ...identityCall(customer, sentAt), look_at: sentAt + quietMs };
  await held.write({}, async (trx, now) => {
    const intent = await trx
      .updateTable('customers')
      .set({ identity_sent_at: now, identity_tries: customer.identity_tries + 1, updated_at: now })
      .where('customer_id', '=', customer.customer_id)
      .where('role', '=', customer.role)
      .where('finix_identity', 'is', null)
      .where('lease_owner', '=', held.row.id)
      .executeTakeFirst();
    if (intent.numUpdatedRows === 0n) throw notItsTurn();
    await announceCall(trx, call);
  });
  return call;
}

/** As `announce`, with the customer's row and turn. */
async function announceNew(
  { clock, quietMs, timing }: IdentityDeps,
  held: HeldSession,
  customer: CustomerTable,
): Promise<CreateCallTable> {
  const sentAt = await clock.informed();
  const call = { ...identityCall(customer, sentAt), look_at: sentAt + quietMs };
  await held.write({}, async (trx, now) => {
    const turn = { lease_owner: held.row.id, lease_until: now + timing.leaseMs };
    const row = insertRow('customers', { ...customer, identity_sent_at: now, identity_tries: 1, ...turn });
    const intent = await sql`${row} on conflict (customer_id, role) do nothing`.execute(trx);
    // Another session of the customer was faster.
    if (intent.numAffectedRows === 0n) throw notItsTurn();
    await announceCall(trx, call);
  });
  return call;
}

function identityInput({ secrets }: IdentityDeps, session: SessionTable): IdentityInput {
  if (session.identity_enc === null) return {};
  const where = { table: 'sessions', row: session.id, column: 'identity_enc' };
  return readIdentity(secrets.open(session.identity_enc, where));
}

/** What an open call has made is no older than the call; what is in no row may be as old as the session. */
async function lookBack(
  deps: IdentityDeps,
  held: HeldSession,
  customer: CustomerTable,
  calls: CreateCallTable[],
): Promise<SeenInstrument[]> {
  const sentAt = Math.min(...calls.map(({ sent_at }) => sent_at));
  if (!held.looksFirst) return look(deps, customer, sentAt);
  const session = Math.min(held.row.created_at, sentAt);
  for (const since of new Set([Math.min(held.since, session), session])) {
    try {
      return await look(deps, customer, since);
    } catch (error) {
      if (!isTooLong(error)) throw error;
    }
  }
  // Where Finix has too many to look through, one may be created all the same.
  return calls.length > 0 ? look(deps, customer, sentAt) : [];
}

/** Finix has more identities from then on than are looked through. */
export function isTooLong(error: unknown): boolean {
  return error instanceof UpstreamError && error.code === LIST_TOO_LONG;
}

/**
 * The identities with this customer's tag, oldest first; a younger one cannot be removed at Finix, and is never used.
 */
export async function look(
  { finix }: Pick<IdentityDeps, 'finix'>,
  { identity_tag }: Pick<CustomerTable, 'identity_tag'>,
  since: number,
): Promise<SeenInstrument[]> {
  const all = await finix.listIdentities(since - CLOCK_MARGIN_MS);
  const own = all.filter(({ tags }) => tags[TAG] === identity_tag);
  return own.map(({ id, tags }) => ({ id, generation: 0, call: tags[CALL_TAG], enabled: true }));
}

/** @returns the customer's identity from now on, which a faster worker may have kept before */
export async function keepIdentity(
  deps: Pick<IdentityDeps, 'storage'>,
  customer: Pick<CustomerTable, 'customer_id' | 'role'>,
  identity: string,
  decided: string[],
): Promise<string> {
  const patch = { ...NOT_MAKING, finix_identity: identity };
  await write(deps, customer, patch, (trx) => settleCalls(trx, decided));
  const kept = await findCustomer(deps.storage, customer.customer_id, customer.role);
  return kept?.finix_identity ?? identity;
}

/** What `create` has made. @throws Postpone when the customer has got another identity in the meantime */
async function keepOnlyIdentity(
  trx: StorageTransaction,
  { customer_id, role }: CustomerTable,
  identity: string,
  call: CreateCallTable,
  now: number,
): Promise<void> {
  const fields = { ...NOT_MAKING, finix_identity: identity, updated_at: now };
  const kept = updateRow('customers', { customer_id, role }, fields);
  const { numAffectedRows } = await sql`${kept} and finix_identity is null`.execute(trx);
  // Nothing must be made for an identity that is not the customer's. The sweep decides what has become of the call.
  if (numAffectedRows === 0n) throw new Postpone('finix_unavailable', 0, false);
  await settleCallsLast(trx, [call.id]);
}

const NOT_MAKING = { identity_sent_at: null, lease_owner: null, lease_until: 0 } as const;

function findCustomer(storage: Storage, id: string, role: CustomerTable['role']): Promise<CustomerTable | undefined> {
  return storage.db
    .selectFrom('customers')
    .selectAll()
    .where('customer_id', '=', id)
    .where('role', '=', role)
    .executeTakeFirst();
}

/** Another session that has taken the turn since keeps it, and what it has announced. */
function endTurn(
  deps: Pick<IdentityDeps, 'storage'>,
  held: HeldSession,
  customer: CustomerTable,
  also: (trx: StorageTransaction) => Promise<void>,
): Promise<void> {
  return write(deps, customer, NOT_MAKING, also, held.row.id);
}

async function write(
  { storage }: Pick<IdentityDeps, 'storage'>,
  customer: Pick<CustomerTable, 'customer_id' | 'role'>,
  patch: Partial<CustomerTable>,
  also: (trx: StorageTransaction) => Promise<void>,
  turnOf?: string,
): Promise<void> {
  const now = await storage.now();
  await storage.transaction(`customer:${customer.customer_id}`, async (trx) => {
    await trx
      .updateTable('customers')
      .$if(turnOf !== undefined, (query) => query.where('lease_owner', '=', turnOf ?? null))
      .set({ ...patch, updated_at: now })
      .where('customer_id', '=', customer.customer_id)
      .where('role', '=', customer.role)
      // Whichever identity was kept first stays the customer's.
      .where('finix_identity', 'is', null)
      .execute();
    await also(trx);
  });
}
