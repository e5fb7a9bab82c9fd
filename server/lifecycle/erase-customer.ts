import { newId } from '../ids.ts';
import type { Logger } from '../log.ts';
import { addAudit, type Initiator, PROOF_KEEP_MS } from '../records/audit.ts';
import { readDeliveryBody } from '../records/columns.ts';
import { beginRemoval, lockConnection } from '../records/connections.ts';
import { forgetEvents } from '../records/inbound-facts.ts';
import { releaseItems } from '../records/items.ts';
import type { Outbox } from '../records/outbox.ts';
import { viewConnection } from '../records/views.ts';
import { changedAt } from '../storage/changed-at.ts';
import type { DueQuery, Now } from '../storage/due.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import { OPEN_SESSION, USABLE_LINK } from '../storage/statuses.ts';
import type { ConnectionTable } from '../storage/tables.ts';
import { RELEASED } from '../work/session-lease.ts';
import type { ConnectionTasks } from './connection-tasks.ts';

/** The erasure of a customer, asked for by the merchant. */

/** While a customer's session is being finished, its outcome is waited for; it is a matter of seconds. */
const LOOK_AGAIN_MS = 2_000;
/** Replaces an erased customer's id, with another value in each row. A fixed word could be a customer's real id. */
const anonymousId = () => newId('erased');

/** How many customers one round of jobs goes on with. */
const BATCH = 32;

/**
 * Begins to erase a customer. What identifies the customer goes; receipts and audit entries, which name no person, stay
 * for as long as they are proof (PROOF_KEEP_MS). The identity at Finix is the merchant's record and stays there, with
 * its instruments disabled.
 */
export async function requestErasure(
  { storage, outbox }: { storage: Storage; outbox: Outbox },
  customerId: string,
): Promise<void> {
  const now = await storage.now();
  await storage.transaction(`customer:${customerId}`, async (trx) => {
    await trx
      .insertInto('erasures')
      .values({ customer_id: customerId, next_at: now, requested_at: now })
      .onConflict((conflict) => conflict.column('customer_id').doUpdateSet({ next_at: now }))
      .execute();
    await endCustomer(trx, outbox, customerId, now);
  });
}

/**
 * Closes the customer's sessions and removes the connections, also those that a session works on: its worker finds that
 * in the row. Repeated until nothing of the customer is left to end.
 */
async function endCustomer(
  trx: StorageTransaction,
  outbox: Outbox,
  customerId: string,
  now: number,
): Promise<string[]> {
  const waiting = await trx
    .updateTable('sessions')
    .set((eb) => ({
      status: 'canceled',
      identity_enc: null,
      version: eb('version', '+', 1),
      updated_at: changedAt(eb, now),
      ...RELEASED,
    }))
    .where('customer_id', '=', customerId)
    .where((eb) =>
      eb.or([
        eb('status', 'in', OPEN_SESSION),
        // One that waits for Plaid or Finix may do so for days. A worker that has it ends in seconds.
        eb.and([eb('status', '=', 'processing'), eb('lease_until', '<=', now)]),
      ]),
    )
    .returning('id')
    .execute();
  for (const { id } of waiting) await releaseItems(trx, id, now);
  await trx
    .updateTable('links')
    .set({ status: 'revoked', request_enc: null, updated_at: now })
    .where('customer_id', '=', customerId)
    .where('status', 'in', USABLE_LINK)
    .execute();
  const connections = await trx
    .selectFrom('connections')
    .selectAll()
    .where('customer_id', '=', customerId)
    .where('status', '!=', 'removed')
    .execute();
  for (const connection of connections) {
    const by: Initiator = { actor: 'merchant' };
    const before = await lockConnection(trx, connection.id);
    if (before) await beginRemoval({ trx, outbox, now, by }, before, 'customer_erased');
  }
  return connections.map(({ id }) => id);
}

function dueErasures(db: Storage['db'], now: Now) {
  return db.selectFrom('erasures').where('next_at', '<=', now).orderBy('next_at');
}

export const DUE_ERASURES: DueQuery = (db, now) => dueErasures(db, now).select('customer_id');

/** Goes on with the erasures that are due. @returns whether there may be more */
export async function eraseDueCustomers(deps: {
  storage: Storage;
  outbox: Outbox;
  tasks: Pick<ConnectionTasks, 'run'>;
  log: Logger;
}): Promise<boolean> {
  const now = await deps.storage.now();
  const due = await dueErasures(deps.storage.db, now).selectAll().limit(BATCH).execute();
  for (const { customer_id } of due) await erase(deps, customer_id);
  return due.length === BATCH;
}

/** @returns whether the customer is erased now */
export async function erase(
  {
    storage,
    outbox,
    tasks,
    log,
  }: { storage: Storage; outbox: Outbox; tasks: Pick<ConnectionTasks, 'run'>; log: Logger },
  customerId: string,
  patienceMs?: number,
): Promise<boolean> {
  const now = await storage.now();
  const left = await storage.transaction(`customer:${customerId}`, async (trx) => {
    await trx
      .updateTable('erasures')
      .set({ next_at: now + LOOK_AGAIN_MS })
      .where('customer_id', '=', customerId)
      .execute();
    return endCustomer(trx, outbox, customerId, now);
  });
  await Promise.all(left.map((id) => tasks.run(id, patienceMs)));
  const isErased = await storage.transaction(`customer:${customerId}`, async (trx) => {
    const erasure = await trx
      .deleteFrom('erasures')
      .where('customer_id', '=', customerId)
      .returningAll()
      .executeTakeFirst();
    // Another worker was faster.
    if (!erasure) return true;
    const busy = await trx
      .selectFrom('sessions')
      .select('id')
      .where('customer_id', '=', customerId)
      .where('status', 'in', ['processing', ...OPEN_SESSION])
      .executeTakeFirst();
    const connected = await trx
      .selectFrom('connections')
      .select('id')
      .where('customer_id', '=', customerId)
      .where('status', '!=', 'removed')
      .executeTakeFirst();
    if (busy || connected) {
      await trx.insertInto('erasures').values(erasure).execute();
      return false;
    }
    await forget(trx, customerId, now);
    log.info('customer erased');
    return true;
  });
  if (isErased) await storage.scrub();
  return isErased;
}

async function forget(trx: StorageTransaction, customerId: string, now: number): Promise<void> {
  const sessions = await trx.selectFrom('sessions').select('id').where('customer_id', '=', customerId).execute();
  const connections = await trx.selectFrom('connections').select('id').where('customer_id', '=', customerId).execute();
  await trx.deleteFrom('customers').where('customer_id', '=', customerId).execute();
  await trx.updateTable('create_calls').set({ customer_id: null }).where('customer_id', '=', customerId).execute();
  const links = await trx.selectFrom('links').select('id').where('customer_id', '=', customerId).execute();
  for (const { id } of links) {
    const anonymous = { customer_id: anonymousId(), request_enc: null, return_url: null };
    await trx.updateTable('links').set(anonymous).where('id', '=', id).execute();
    await trx.deleteFrom('idempotency').where('session_id', '=', id).execute();
    await trx.deleteFrom('deliveries').where('link_id', '=', id).execute();
  }
  for (const { id } of connections) {
    const forgotten = await trx
      .updateTable('connections')
      .set({
        customer_id: anonymousId(),
        account_name: null,
        account_mask: null,
        persistent_account_id: null,
        fingerprint: null,
        metadata: '{}',
      })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await trx.deleteFrom('checks').where('connection_id', '=', id).execute();
    const numbers = { fingerprint: null };
    await trx.updateTable('connection_instruments').set(numbers).where('connection_id', '=', id).execute();
    await forgetEvents(trx, id);
    await forgetDeliveries(trx, forgotten);
  }
  for (const { id } of sessions) {
    await trx
      .updateTable('sessions')
      .set({ customer_id: anonymousId(), identity_enc: null, metadata: '{}', error: null })
      .where('id', '=', id)
      .execute();
    await trx.deleteFrom('idempotency').where('session_id', '=', id).execute();
    await trx.deleteFrom('link_tokens').where('session_id', '=', id).execute();
    await trx.deleteFrom('hosted_links').where('session_id', '=', id).execute();
    // Events of sessions: an erased customer has no checkout to go on with.
    await trx.deleteFrom('deliveries').where('session_id', '=', id).where('connection_id', 'is', null).execute();
    await addAudit(trx, now, { actor: 'merchant' }, 'customer.erased', { session: id });
  }
}

/**
 * What was sent or can't be is deleted; older events that are still queued are made void by the removal. The removal
 * itself is still to be sent, in a body that names no person, so that a resend brings nothing back.
 */
async function forgetDeliveries(trx: StorageTransaction, connection: ConnectionTable): Promise<void> {
  await trx
    .deleteFrom('deliveries')
    .where('connection_id', '=', connection.id)
    .where((eb) => eb.or([eb('status', '!=', 'pending'), eb('type', '!=', 'connection.removed')]))
    .execute();
  const waiting = await trx
    .selectFrom('deliveries')
    .select(['id', 'body'])
    .where('connection_id', '=', connection.id)
    .execute();
  // The receipt is kept as proof; a message is none.
  const data = { ...viewConnection(connection, 'merchant'), authorization: null };
  for (const { id, body } of waiting) {
    const event = readDeliveryBody(body);
    const rewritten = JSON.stringify({ ...event, data });
    await trx.updateTable('deliveries').set({ body: rewritten }).where('id', '=', id).execute();
  }
}

/** Receipts that are no proof of anything any more. */
export async function purgeReceipts({ db }: Storage, now: number): Promise<void> {
  await db
    .updateTable('connections')
    .set({ authorization_receipt: null, later_authorizations: null })
    .where((eb) => eb.or([eb('authorization_receipt', 'is not', null), eb('later_authorizations', 'is not', null)]))
    .where('removed_at', '<=', now - PROOF_KEEP_MS)
    .execute();
}
