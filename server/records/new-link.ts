import type { CreateSessionRequest } from '../../widget/contract.ts';
import { newLinkId } from '../ids.ts';
import type { StorageTransaction } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import { USABLE_LINK } from '../storage/statuses.ts';
import type { ConnectionTable, LinkTable } from '../storage/tables.ts';
import { addAudit, type Initiator } from './audit.ts';
import { readMerchant } from './columns.ts';

/** Links as they are made: on request, and for connections whose bank wants its customer back. */

const DAY_MS = 24 * 3600_000;
/**
 * A week: long enough for a letter that is answered on the weekend, short enough for an address that is a credential.
 */
const DAYS = 7;

export interface NewLinkOptions {
  now: number;
  days?: number | undefined;
  returnUrl?: string | undefined;
}

/** The row of a link, not yet written. @param repaired the connection that it repairs, checked */
export function newLink(
  secrets: Secrets,
  request: CreateSessionRequest,
  repaired: ConnectionTable | undefined,
  { now, days = DAYS, returnUrl }: NewLinkOptions,
): LinkTable {
  const id = newLinkId();
  // The page names the merchant who has the customer's permission.
  const merchant = request.merchant ?? (repaired?.merchant ? readMerchant(repaired.merchant) : undefined);
  const session = JSON.stringify({ ...request, merchant });
  return {
    id,
    customer_id: request.customer_id,
    merchant_id: merchant?.id ?? repaired?.merchant_id ?? null,
    status: 'open',
    mode: repaired ? 'repair' : 'connect',
    connection_id: repaired?.id ?? null,
    request_enc: secrets.seal(session, { table: 'links', row: id, column: 'request_enc' }),
    return_url: returnUrl === undefined ? null : new URL(returnUrl).href,
    session_id: null,
    secret_key_id: secrets.currentKeyId,
    window_start: 0,
    openings: 0,
    opened_at: null,
    completed_at: null,
    created_at: now,
    updated_at: now,
    expires_at: now + days * DAY_MS,
  };
}

export async function addLink(trx: StorageTransaction, row: LinkTable, by: Initiator): Promise<void> {
  await trx.insertInto('links').values(row).execute();
  await addAudit(trx, row.created_at, by, 'link.created', { link: row.id, connection: row.connection_id });
}

/** A link that still has most of its days is sent again in place of a new one: logins break more than once a week. */
const FRESH_MS = (DAYS / 2) * DAY_MS;

/** The link by which a customer repairs this connection: the present one where it still lasts, else a new one. */
export async function repairLinkFor(
  trx: StorageTransaction,
  secrets: Secrets,
  connection: ConnectionTable,
  now: number,
): Promise<LinkTable> {
  const present = await trx
    .selectFrom('links')
    .selectAll()
    .where('connection_id', '=', connection.id)
    .where('status', 'in', USABLE_LINK)
    .where('expires_at', '>', now + FRESH_MS)
    .orderBy('expires_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (present) return present;
  const session = await trx
    .selectFrom('sessions')
    .select('language')
    .where('id', '=', connection.session_id)
    .executeTakeFirst();
  const language = session ? { language: session.language } : {};
  const request = { customer_id: connection.customer_id, connection: connection.id, ...language };
  const row = newLink(secrets, request, connection, { now });
  await addLink(trx, row, { actor: 'job' });
  return row;
}
