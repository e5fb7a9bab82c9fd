import type { Storage, StorageTransaction } from '../storage/open.ts';
import { USABLE_LINK } from '../storage/statuses.ts';
import type { ConnectionTable, LinkTable, SessionTable } from '../storage/tables.ts';
import { addAudit } from './audit.ts';
import { isRepairable } from './repairable.ts';
import { connectionsOf } from './session-connections.ts';
import type { Unit } from './unit.ts';

/** Rows of links, and what changes them: an opening, an end. */

export async function findLink(storage: Storage, id: string): Promise<LinkTable | undefined> {
  return storage.db.selectFrom('links').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Whether a repair link still has a connection to repair: it may have been removed, or have ended, since. */
export async function leadsToRepair({ db }: Storage, { connection_id }: LinkTable): Promise<boolean> {
  if (connection_id === null) return true;
  const connection = await db
    .selectFrom('connections')
    .select(['status', 'goal'])
    .where('id', '=', connection_id)
    .executeTakeFirst();
  return connection !== undefined && isRepairable(connection);
}

/** The connections that came of a link. Empty while it is open. */
export async function connectionsOfLink(
  db: Storage['db'] | StorageTransaction,
  { session_id }: LinkTable,
): Promise<ConnectionTable[]> {
  if (session_id === null) return [];
  const session = await db.selectFrom('sessions').selectAll().where('id', '=', session_id).executeTakeFirst();
  return session ? connectionsOf(db, session) : [];
}

/**
 * The session behind a link has completed, in the transaction that completes it. A link that expired while its customer
 * was in Link is completed all the same: the bank is connected, and the later event is the true one.
 */
export async function completeLink({ trx, outbox, now, by }: Unit, session: SessionTable): Promise<void> {
  if (session.link_id === null) return;
  const completed = await trx
    .updateTable('links')
    .set({ status: 'completed', completed_at: now, request_enc: null, updated_at: now })
    .where('id', '=', session.link_id)
    .where('status', 'in', [...USABLE_LINK, 'expired'])
    .returningAll()
    .executeTakeFirst();
  if (!completed) return;
  await outbox.linkEnded(trx, completed, await connectionsOf(trx, session), now);
  await addAudit(trx, now, by, 'link.completed', { link: completed.id, session: session.id });
}

/**
 * Ends one link that no customer can begin with any more; its customer's data goes with it.
 * @returns the row, or undefined when it had ended already
 */
export async function endLink(
  { trx, outbox, now, by }: Unit,
  id: string,
  status: 'expired' | 'revoked',
): Promise<LinkTable | undefined> {
  const ended = await trx
    .updateTable('links')
    .set({ status, request_enc: null, updated_at: now })
    .where('id', '=', id)
    .where('status', 'in', USABLE_LINK)
    .returningAll()
    .executeTakeFirst();
  if (!ended) return undefined;
  if (status === 'expired') await outbox.linkEnded(trx, ended, [], now);
  await addAudit(trx, now, by, `link.${status}`, { link: id, session: ended.session_id });
  return ended;
}
