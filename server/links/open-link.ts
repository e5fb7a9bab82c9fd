import { ProblemError } from '../errors.ts';
import { addAudit, type Initiator } from '../records/audit.ts';
import { readLinkRequest } from '../records/columns.ts';
import { addSession, clientSecret, closeWaiting, prepareSession, type SessionDeps } from '../records/sessions.ts';
import { shownLinkStatus } from '../records/views.ts';
import type { StorageTransaction } from '../storage/open.ts';
import { USABLE_LINK } from '../storage/statuses.ts';
import type { LinkTable, SessionTable } from '../storage/tables.ts';

export interface OpenedLink {
  session: SessionTable;
  clientSecret: string;
}

/** A customer who gives up and comes back needs a few a day; a robot that presses buttons is stopped. */
const OPENINGS = { limit: 30, windowMs: 3600_000 };

/**
 * A person has pressed the button behind a link: makes a session for this opening, in one commit. A session that is
 * being finished is returned in place of a new one; an earlier one that waits is closed, so that a link leads to one
 * bank only.
 * @throws ProblemError `not_found` when the link can't be used, `rate_limited`
 */
export async function openLink(deps: SessionDeps, link: LinkTable, by: Initiator): Promise<OpenedLink> {
  const { storage, secrets } = deps;
  if (link.request_enc === null) throw new ProblemError('not_found');
  const where = { table: 'links', row: link.id, column: 'request_enc' };
  const request = readLinkRequest(secrets.open(link.request_enc, where));
  const { row: prepared } = await prepareSession(deps, { ...request, isPublic: false, linkId: link.id });
  const session = await storage.transaction(`customer:${link.customer_id}`, async (trx) => {
    const now = prepared.created_at;
    const held = await lockLink(trx, link.id);
    if (!held || !USABLE_LINK.includes(shownLinkStatus(held, now))) throw new ProblemError('not_found');
    const isSameWindow = now - held.window_start < OPENINGS.windowMs;
    if (isSameWindow && held.openings >= OPENINGS.limit) {
      throw new ProblemError('rate_limited', {
        retryAfter: Math.ceil((held.window_start + OPENINGS.windowMs - now) / 1000),
      });
    }
    const earlier = await closeEarlier(trx, held, now, by);
    if (earlier) return earlier;
    await trx
      .updateTable('links')
      .set({
        status: 'opened',
        session_id: prepared.id,
        opened_at: held.opened_at ?? now,
        updated_at: now,
        window_start: isSameWindow ? held.window_start : now,
        openings: isSameWindow ? held.openings + 1 : 1,
      })
      .where('id', '=', link.id)
      .execute();
    await addSession(trx, prepared, by);
    await addAudit(trx, now, by, 'link.opened', { link: link.id, session: prepared.id });
    return prepared;
  });
  return { session, clientSecret: clientSecret(secrets, session.id, session.secret_key_id) };
}

async function lockLink(trx: StorageTransaction, id: string): Promise<LinkTable | undefined> {
  return trx
    .updateTable('links')
    .set((eb) => ({ updated_at: eb.ref('updated_at') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/**
 * Closes the session of an earlier opening.
 * @returns that session when it can't be closed, because its bank is being connected
 */
export async function closeEarlier(
  trx: StorageTransaction,
  { session_id }: LinkTable,
  now: number,
  by: Initiator,
): Promise<SessionTable | undefined> {
  if (session_id === null) return undefined;
  if (await closeWaiting(trx, session_id, now, by)) return undefined;
  return trx
    .selectFrom('sessions')
    .selectAll()
    .where('id', '=', session_id)
    .where('status', '=', 'processing')
    .executeTakeFirst();
}
