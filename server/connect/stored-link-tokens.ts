import type { LinkToken } from '../clients/plaid.ts';
import { newId } from '../ids.ts';
import { writeLast } from '../storage/last-writes.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import { ACCEPT_GRACE_MS } from '../storage/statuses.ts';
import type { SessionTable, StoredLinkTable } from '../storage/tables.ts';

/** While the page is there it asks by itself; jobs come after it, each time after twice as long. */
export const FIRST_JOB_MS = 2 * 60_000;

/** Before the end of a link token there is a last look, which is repeated this often while Plaid does not answer. */
const LAST_LOOK_MS = 2 * 60_000;
const LAST_LOOKS_EVERY_MS = 30_000;

/** When a job looks next after this one. A public token is good for 30 minutes, and no two looks are further apart. */
export function nextLook({ tries, ends_at }: Pick<StoredLinkTable, 'tries' | 'ends_at'>, now: number): number {
  const last = ends_at - LAST_LOOK_MS;
  if (now >= last) return now + LAST_LOOKS_EVERY_MS;
  return Math.min(now + FIRST_JOB_MS * 2 ** (tries + 1), last);
}

/**
 * Keeps the link token of a Link whose outcome may be read from Plaid, for as long as a public token of it can be
 * accepted.
 */
export async function storeLinkToken(
  trx: StorageTransaction,
  secrets: Secrets,
  session: SessionTable,
  { linkToken, expiresAt, hostedLinkUrl }: LinkToken,
  now: number,
): Promise<void> {
  const id = newId('hl');
  const link_token_enc = secrets.seal(linkToken, { table: 'hosted_links', row: id, column: 'link_token_enc' });
  const times = { next_at: now + FIRST_JOB_MS, ends_at: expiresAt + ACCEPT_GRACE_MS, created_at: now };
  const stored = trx.insertInto('hosted_links').values({
    id,
    session_id: session.id,
    link_token_enc,
    is_hosted: hostedLinkUrl ? 1 : 0,
    is_used: 0,
    tries: 0,
    ...times,
  });
  await writeLast(trx, stored);
}

/** Newest first: a customer who started again means the newer one. */
export async function storedLinksOf({ storage }: { storage: Storage }, sessionId: string): Promise<StoredLinkTable[]> {
  return (
    storage.db
      .selectFrom('hosted_links')
      .selectAll()
      .where('session_id', '=', sessionId)
      .where('ends_at', '>', await storage.now())
      .orderBy('created_at', 'desc')
      // Each is a call to Plaid; no customer has more of them open.
      .limit(3)
      .execute()
  );
}

export function openLinkToken(secrets: Secrets, { id, link_token_enc }: StoredLinkTable): string {
  return secrets.open(link_token_enc, { table: 'hosted_links', row: id, column: 'link_token_enc' });
}
