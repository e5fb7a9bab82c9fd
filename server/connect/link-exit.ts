import type { LinkExitRequest } from '../../widget/contract.ts';
import type { Origin } from '../records/authorization.ts';
import { auditSession } from '../records/sessions.ts';
import type { Storage } from '../storage/open.ts';
import { enforceRateLimit, type RateLimit } from '../storage/rate-limit.ts';
import type { SessionTable } from '../storage/tables.ts';

/** As many as there can be link tokens: each run of Link ends once. */
const LINK_EXITS: RateLimit = { limit: 60, windowMs: 3600_000 };

/**
 * Before a body is read, so that reports with wrong content use up the limit too, and none past it is parsed.
 * @throws ProblemError `rate_limited`
 */
export async function limitLinkExits(storage: Storage, { id }: SessionTable): Promise<void> {
  await enforceRateLimit(storage, `link-exit:${id}`, LINK_EXITS);
}

/**
 * Keeps how a run of Link ended without a bank, in the page's words, for support: by these ids Plaid finds the run. It
 * decides nothing, so it is accepted in every status of the session.
 */
export async function recordLinkExit(
  storage: Storage,
  session: SessionTable,
  exit: LinkExitRequest,
  { ip }: Origin,
): Promise<void> {
  const now = await storage.now();
  const details = Object.fromEntries(Object.entries(exit).filter(([, value]) => value));
  await storage.transaction(`customer:${session.customer_id}`, (trx) =>
    auditSession(trx, session, now, { actor: 'page', ip, details }, 'link.exited'),
  );
}
