import type { AuthorizationAcceptance, AuthorizationReceipt } from '../../widget/contract.ts';
import { ProblemError } from '../errors.ts';
import { iso } from '../ids.ts';
import { changedAt } from '../storage/changed-at.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { ConnectionTable, SessionTable } from '../storage/tables.ts';
import { addAudit, type Initiator } from './audit.ts';
import { readReceipt, readReceipts } from './columns.ts';
import { authorizationText } from './views.ts';

/** From where the customer has agreed, for the receipt. */
export interface Origin {
  ip: string | null;
  userAgent: string | null;
}

/**
 * The receipt of what the customer has accepted; null where the session has no text. It is written once, and what the
 * customer accepted is never changed afterwards.
 * @throws ProblemError `authorization_required` when there is a text and this is no acceptance of it
 */
export function acceptAuthorization(
  session: SessionTable,
  given: AuthorizationAcceptance | undefined,
  { ip, userAgent }: Origin,
  now: number,
): string | null {
  const text = authorizationText(session);
  if (!text || session.authorization_receipt !== null) return session.authorization_receipt;
  if (!given?.accepted || given.text_sha256 !== text.text_sha256) {
    throw new ProblemError('authorization_required', { authorization: text });
  }
  const receipt: AuthorizationReceipt = {
    ...text,
    language: session.language,
    accepted_at: iso(now),
    ip,
    user_agent: userAgent,
  };
  return JSON.stringify(receipt);
}

/**
 * Keeps an acceptance that comes before there is a public token: a customer who leaves for a Hosted Link may never come
 * back to give it.
 * @returns the session with its receipt
 * @throws ProblemError `authorization_required`, as acceptAuthorization
 */
export async function acceptUpFront(
  storage: Storage,
  session: SessionTable,
  given: AuthorizationAcceptance,
  origin: Origin,
): Promise<SessionTable> {
  const now = await storage.now();
  return storage.transaction(`customer:${session.customer_id}`, async (trx) => {
    // A write first: it locks the row, so that there is one receipt.
    const present = await trx
      .updateTable('sessions')
      .set((eb) => ({ updated_at: changedAt(eb, now) }))
      .where('id', '=', session.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    const receipt = acceptAuthorization(present, given, origin, now);
    await auditAuthorization(trx, present, receipt, { actor: 'page', ip: origin.ip }, now);
    await trx.updateTable('sessions').set({ authorization_receipt: receipt }).where('id', '=', session.id).execute();
    return { ...present, authorization_receipt: receipt };
  });
}

/** The receipt of a later session about the same connection. The first one is never changed. */
export function withLaterReceipt(
  { later_authorizations }: Pick<ConnectionTable, 'later_authorizations'>,
  receipt: string | null,
): Partial<ConnectionTable> {
  if (receipt === null) return {};
  const later = later_authorizations === null ? [] : readReceipts(later_authorizations);
  return { later_authorizations: JSON.stringify([...later, readReceipt(receipt)]) };
}

/** Once, when the receipt is new. @param connection the one that it is about, where that is known already */
export async function auditAuthorization(
  trx: StorageTransaction,
  session: SessionTable,
  receipt: string | null,
  { actor, ip }: Initiator,
  now: number,
  connection: string | null = session.repair_connection_id,
): Promise<void> {
  if (receipt === null || session.authorization_receipt !== null) return;
  const { version, text_sha256 } = readReceipt(receipt);
  const by = { actor, ip, details: { version, text_sha256 } } as const;
  await addAudit(trx, now, by, 'authorization.accepted', { session: session.id, connection });
}
