import type { IdentityInput } from '../../widget/contract.ts';
import type { FinixClient } from '../clients/finix.ts';
import { UpstreamError } from '../clients/outbound.ts';
import { newId } from '../ids.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { CustomerTable, SessionTable } from '../storage/tables.ts';
import { lookAgainIn, Postpone, Stop } from '../work/retry.ts';
import type { HeldSession } from '../work/session-lease.ts';
import type { Timing } from '../work/timing.ts';

/**
 * The customer's identity at Finix: the one the merchant named, else the customer's earlier one, else a new one. Its create call has no
 * idempotency key either, so it follows the same rule as instruments: after a lost answer look, wait out the quiet period, look again.
 */
export interface IdentityDeps {
  storage: Storage;
  secrets: Secrets;
  finix: FinixClient;
  /** Milliseconds; see InstrumentDeps. */
  quietMs: number;
  timing: Timing;
}

const TAG = 'finix_bank_connect_customer';
/** How far Finix's clock may be behind ours. All customers' identities are in this list, so it must stay short. */
const CLOCK_MARGIN_MS = 60_000;
/** Another session of the same customer is making the identity: about as long as that takes. */
const TURN_MS = 300;

/** @returns the id of an identity that exists at Finix */
export async function readyIdentity(deps: IdentityDeps, held: HeldSession): Promise<string> {
  const session = held.row;
  if (session.finix_identity !== null) return session.finix_identity;
  const customer = await takeTurn(deps, session);
  if (customer.finix_identity !== null) return customer.finix_identity;

  if (customer.identity_sent_at !== null) {
    const made = await identityOf(deps, customer, customer.identity_sent_at);
    if (made) return keep(deps, customer, made);
    const now = await deps.storage.now();
    // The clock was set back since; see makeInstrument.
    if (customer.identity_sent_at > now) await write(deps, customer, { identity_sent_at: now });
    const wait = lookAgainIn(Math.min(customer.identity_sent_at, now), now, deps.quietMs, deps.timing);
    if (wait > 0) throw new Postpone('finix_unavailable', wait, false);
  }

  const input = identityInput(deps, session);
  const sentAt = await writeIntent(held, customer);
  // A process that was frozen here may be long behind, while the quiet period of others counts from sentAt.
  if ((await deps.storage.now(true)) - sentAt > deps.timing.lookAgainMs)
    throw new Postpone('finix_unavailable', 0, false);
  try {
    const identity = await deps.finix.createIdentity({
      entity: { ...input },
      // Finix makes a seller of far more than a name: the merchant names one that exists.
      role: customer.role === 'SELLER' ? 'RECIPIENT' : customer.role,
      type: input.business_name === undefined ? 'PERSONAL' : 'BUSINESS',
      tags: { [TAG]: customer.identity_tag },
    });
    return await keep(deps, customer, identity.id);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    if (error.failure === 'lost') throw new Postpone('finix_unavailable', 0);
    if ((error.details.status ?? 0) >= 500) {
      const made = await identityOf(deps, customer, sentAt);
      if (made) return keep(deps, customer, made);
    }
    await write(deps, customer, { identity_sent_at: null, lease_owner: null, lease_until: 0 });
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
 * Commits that a create call is about to be sent. Under the session's fence and the customer's turn: a worker that was frozen since it
 * read the customer must not send a second one.
 * @returns when, in milliseconds since 1970
 */
async function writeIntent(held: HeldSession, customer: CustomerTable): Promise<number> {
  let sentAt = 0;
  await held.write({}, async (trx, now) => {
    const intent = await trx
      .updateTable('customers')
      .set({ identity_sent_at: now, identity_tries: customer.identity_tries + 1, updated_at: now })
      .where('customer_id', '=', customer.customer_id)
      .where('role', '=', customer.role)
      .where('finix_identity', 'is', null)
      .where('lease_owner', '=', held.row.id)
      .executeTakeFirst();
    if (intent.numUpdatedRows === 0n) throw new Postpone('finix_unavailable', TURN_MS, false);
    sentAt = now;
  });
  return sentAt;
}

/** Only one session of a customer makes the identity; the others wait for it. */
async function takeTurn({ storage, timing }: IdentityDeps, session: SessionTable): Promise<CustomerTable> {
  const role = roleOf(session);
  const known = await findCustomer(storage, session.customer_id, role);
  if (known && known.finix_identity !== null) return known;
  const now = await storage.now();
  await storage.db
    .insertInto('customers')
    .values(newCustomer(session, now))
    .onConflict((conflict) => conflict.columns(['customer_id', 'role']).doNothing())
    .execute();
  const mine = await storage.db
    .updateTable('customers')
    .set({ lease_owner: session.id, lease_until: now + timing.leaseMs })
    .where('customer_id', '=', session.customer_id)
    .where('role', '=', role)
    .where((eb) =>
      eb.or([eb('finix_identity', 'is not', null), eb('lease_until', '<=', now), eb('lease_owner', '=', session.id)]),
    )
    .returningAll()
    .executeTakeFirst();
  if (!mine) throw new Postpone('finix_unavailable', TURN_MS, false);
  return mine;
}

/** Debits come from a buyer's account, payouts go to a recipient's, settlements to a seller's; Finix asks other things of each. */
export function roleOf({ purpose }: Pick<SessionTable, 'purpose'>): CustomerTable['role'] {
  return ROLES[purpose];
}

const ROLES = { debit: 'BUYER', payout: 'RECIPIENT', settlement: 'SELLER' } as const;

function newCustomer(session: SessionTable, now: number): CustomerTable {
  return {
    customer_id: session.customer_id,
    role: roleOf(session),
    finix_identity: null,
    identity_tag: newId('tag'),
    identity_sent_at: null,
    identity_tries: 0,
    lease_owner: null,
    lease_until: 0,
    created_at: now,
    updated_at: now,
  };
}

function identityInput({ secrets }: IdentityDeps, session: SessionTable): IdentityInput {
  if (session.identity_enc === null) return {};
  const where = { table: 'sessions', row: session.id, column: 'identity_enc' };
  return JSON.parse(secrets.open(session.identity_enc, where)) as IdentityInput;
}

/** The oldest identity with this customer's tag; a younger one cannot be removed at Finix, and is never used. */
async function identityOf(
  { finix }: IdentityDeps,
  customer: CustomerTable,
  sentAt: number,
): Promise<string | undefined> {
  const all = await finix.listIdentities(sentAt - CLOCK_MARGIN_MS);
  return all.find(({ tags }) => tags[TAG] === customer.identity_tag)?.id;
}

/** @returns the customer's identity from now on, which a faster worker may have kept before */
async function keep(deps: IdentityDeps, customer: CustomerTable, identity: string): Promise<string> {
  await write(deps, customer, { finix_identity: identity, identity_sent_at: null, lease_owner: null, lease_until: 0 });
  const kept = await findCustomer(deps.storage, customer.customer_id, customer.role);
  return kept?.finix_identity ?? identity;
}

function findCustomer(storage: Storage, id: string, role: CustomerTable['role']): Promise<CustomerTable | undefined> {
  return storage.db
    .selectFrom('customers')
    .selectAll()
    .where('customer_id', '=', id)
    .where('role', '=', role)
    .executeTakeFirst();
}

async function write({ storage }: IdentityDeps, customer: CustomerTable, patch: Partial<CustomerTable>): Promise<void> {
  const now = await storage.now();
  await storage.db
    .updateTable('customers')
    .set({ ...patch, updated_at: now })
    .where('customer_id', '=', customer.customer_id)
    .where('role', '=', customer.role)
    // Whichever identity was kept first stays the customer's.
    .where('finix_identity', 'is', null)
    .execute();
}
