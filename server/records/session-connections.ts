import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { ConnectionTable, SessionTable } from '../storage/tables.ts';
import { readRecognizedConnections } from './columns.ts';

/**
 * The connections that the session is about: the one to repair, those it was recognized by, or those of its current
 * Item, not of attempts that a restart replaced.
 */
export async function connectionsOf(
  db: Storage['db'] | StorageTransaction,
  session: SessionTable,
): Promise<ConnectionTable[]> {
  const query = db.selectFrom('connections').selectAll();
  if (session.recognized_connections !== null) {
    const ids = readRecognizedConnections(session.recognized_connections);
    return query.where('id', 'in', ids).orderBy('created_at').orderBy('id').execute();
  }
  if (session.repair_connection_id !== null) return query.where('id', '=', session.repair_connection_id).execute();
  if (session.item_id === null) return [];
  return query
    .where('session_id', '=', session.id)
    .where('item_id', '=', session.item_id)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}
