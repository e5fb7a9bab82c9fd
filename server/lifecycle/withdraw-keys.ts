import { ProblemError } from '../errors.ts';
import { revokeLink } from '../links/end-links.ts';
import type { Outbox } from '../records/outbox.ts';
import { closeWaiting } from '../records/sessions.ts';
import { forgetKeys } from '../storage/check-keys.ts';
import type { Storage } from '../storage/open.ts';
import { type Rotation, rotateKeys } from '../storage/rotate-keys.ts';
import type { Secrets } from '../storage/secrets.ts';
import { OPEN_SESSION, USABLE_LINK } from '../storage/statuses.ts';

export interface Withdrawal extends Pick<Rotation, 'resealed' | 'unreadable'> {
  /** Canceled: their client secrets can be derived with the leaked key. */
  sessions: number;
  /** Revoked: so can their addresses. */
  links: number;
  /** Their customer's bank is being connected: it ends well, and their address dies with the key. */
  busyLinks: number;
}

/**
 * Ends all that is derived from every key but the first, so that these can leave ENCRYPTION_KEY at once and not when
 * the last session is over. Work in progress is not lost: it needs no key of its session. May run while serving, when
 * all instances have the new key first.
 */
export async function withdrawKeys(
  { storage, secrets, outbox }: { storage: Storage; secrets: Secrets; outbox: Outbox },
  { batch }: { batch: number },
): Promise<Withdrawal> {
  const old = secrets.keyIds.filter((id) => id !== secrets.currentKeyId);
  const { resealed, unreadable } = await rotateKeys(storage, secrets, { batch });
  const withdrawal: Withdrawal = { resealed, unreadable, sessions: 0, links: 0, busyLinks: 0 };
  if (old.length === 0) return withdrawal;
  for (const link of await usableLinks(storage, old)) {
    try {
      await revokeLink({ storage, outbox }, link.id);
      withdrawal.links += 1;
    } catch (error) {
      if (!(error instanceof ProblemError) || error.code !== 'session_busy') throw error;
      withdrawal.busyLinks += 1;
    }
  }
  for (const { id, customer_id } of await waitingSessions(storage, old)) {
    const now = await storage.now();
    const closed = await storage.transaction(`customer:${customer_id}`, (trx) =>
      closeWaiting(trx, id, now, { actor: 'merchant', details: { reason: 'key_withdrawn' } }),
    );
    if (closed) withdrawal.sessions += 1;
  }
  // What can't be opened now may be opened by a key that is still to be put back: a start without it stays refused.
  if (unreadable === 0) await forgetKeys(storage, old);
  return withdrawal;
}

function usableLinks({ db }: Storage, keyIds: string[]) {
  return db
    .selectFrom('links')
    .select('id')
    .where('secret_key_id', 'in', keyIds)
    .where('status', 'in', USABLE_LINK)
    .execute();
}

function waitingSessions({ db }: Storage, keyIds: string[]) {
  return db
    .selectFrom('sessions')
    .select(['id', 'customer_id'])
    .where('secret_key_id', 'in', keyIds)
    .where('status', 'in', OPEN_SESSION)
    .execute();
}
