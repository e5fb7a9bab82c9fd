import type { Evidence } from '../../widget/contract.ts';
import { ProblemError } from '../errors.ts';
import { isErased, iso } from '../ids.ts';
import { PROOF_KEEP_MS } from '../records/audit.ts';
import { readAuditDetails, readMerchant, readReceipt, readReceipts } from '../records/columns.ts';
import { verificationOf } from '../records/verification.ts';
import type { Storage } from '../storage/open.ts';
import type { AuditTable, ConnectionTable } from '../storage/tables.ts';

/**
 * What proves that a customer has authorized debits of an account: their words, when and from where, how the account
 * was verified, and what became of it. Made of stored facts only, in a fixed order and without a time of its own, so
 * that the same facts are the same bytes.
 */
export async function gatherEvidence({ db, now }: Storage, id: string): Promise<Evidence> {
  const connection = await db.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirst();
  if (!connection || isOver(connection, await now())) {
    throw new ProblemError('not_found', { detail: 'There is no evidence of such a connection.' });
  }
  const instruments = await db
    .selectFrom('connection_instruments')
    .selectAll()
    .where('connection_id', '=', id)
    .orderBy('created_at')
    .orderBy('payment_instrument')
    .execute();
  const transfers = await db
    .selectFrom('transfers')
    .selectAll()
    .where('connection_id', '=', id)
    .where('returned_at', 'is not', null)
    .orderBy('returned_at')
    .orderBy('id')
    .execute();
  const events = await db
    .selectFrom('audit')
    .selectAll()
    .where('connection_id', '=', id)
    .where('action', 'in', ENDS)
    .orderBy('at')
    .orderBy('id')
    .execute();
  return {
    object: 'evidence',
    connection: connection.id,
    customer_id: isErased(connection.customer_id) ? null : connection.customer_id,
    purpose: connection.purpose,
    authorization: connection.authorization_receipt ? readReceipt(connection.authorization_receipt) : null,
    later_authorizations: connection.later_authorizations ? readReceipts(connection.later_authorizations) : [],
    merchant: connection.merchant ? namedMerchant(connection.merchant) : null,
    institution: { id: connection.institution_id, name: connection.institution_name },
    account: {
      name: connection.account_name,
      mask: connection.account_mask,
      type: connection.account_type,
      subtype: connection.account_subtype,
    },
    verification: verificationOf(connection),
    link_session_id: connection.link_session_id,
    finix_identity: connection.finix_identity,
    payment_instruments: instruments.map(({ payment_instrument, created_at }) => ({
      id: payment_instrument,
      created_at: iso(created_at),
    })),
    returns: transfers.map((transfer) => ({
      code: transfer.return_code,
      failure_code: transfer.failure_code,
      transfer: transfer.id,
      amount: transfer.amount,
      currency: transfer.currency,
      at: iso(transfer.returned_at ?? 0),
    })),
    events: events.map(viewEvent),
    created_at: iso(connection.created_at),
  };
}

/** How a permission ends or comes back. */
const ENDS = [
  'connection.active',
  'connection.needs_repair',
  'connection.revoked',
  'connection.failed',
  'connection.removed',
];

function isOver({ removed_at }: ConnectionTable, now: number): boolean {
  return removed_at !== null && removed_at <= now - PROOF_KEEP_MS;
}

function viewEvent({ at, action, actor, details }: AuditTable): Evidence['events'][number] {
  const { reason } = readAuditDetails(details);
  return { at: iso(at), action, actor, reason: typeof reason === 'string' ? reason : null };
}

/** Who asked, without the merchant's appearance. */
function namedMerchant(column: string): Evidence['merchant'] {
  const { id, name } = readMerchant(column);
  return { id, name };
}
