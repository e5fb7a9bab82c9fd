import { ProblemError } from '../errors.ts';
import { endLink, findLink } from '../records/links.ts';
import type { Outbox } from '../records/outbox.ts';
import type { Storage } from '../storage/open.ts';
import { USABLE_LINK } from '../storage/statuses.ts';
import type { LinkTable } from '../storage/tables.ts';
import type { AgreedClock } from '../work/agreed-clock.ts';
import { closeEarlier } from './open-link.ts';

export interface EndLinkDeps {
  storage: Storage;
  outbox: Outbox;
}

/**
 * Ends a link for the merchant, and the session that waits behind it, also where the link has expired. A link that has
 * ended already stays as it is.
 * @throws ProblemError `not_found`; `session_busy` while a bank is being connected through it
 */
export async function revokeLink({ storage, outbox }: EndLinkDeps, id: string): Promise<LinkTable> {
  const found = await findLink(storage, id);
  if (!found) throw new ProblemError('not_found', { detail: 'There is no such link.' });
  const now = await storage.now();
  const revoked = await storage.transaction(`customer:${found.customer_id}`, async (trx) => {
    const ended = await endLink({ trx, outbox, now, by: { actor: 'merchant' } }, id, 'revoked');
    // A session that was opened in time outlives its link.
    // Thrown inside of the transaction: the link stays usable, and the bank that is being connected is not lost.
    if (await closeEarlier(trx, ended ?? found, now, { actor: 'merchant' })) {
      throw new ProblemError('session_busy', { retryAfter: 2 });
    }
    return ended;
  });
  return revoked ?? (await findLink(storage, id)) ?? found;
}

/** Ends links whose time is over. @returns whether there may be more */
export async function expireDueLinks(
  { storage, outbox, clock }: EndLinkDeps & { clock: Pick<AgreedClock, 'certain'> },
  batch: number,
): Promise<boolean> {
  const now = await clock.certain();
  if (now === undefined) return false;
  const due = await storage.db
    .selectFrom('links')
    .select(['id', 'customer_id'])
    .where('status', 'in', USABLE_LINK)
    .where('expires_at', '<=', now)
    .orderBy('expires_at')
    .limit(batch)
    .execute();
  for (const { id, customer_id } of due) {
    await storage.transaction(`customer:${customer_id}`, (trx) =>
      endLink({ trx, outbox, now, by: { actor: 'job' } }, id, 'expired'),
    );
  }
  return due.length === batch;
}
