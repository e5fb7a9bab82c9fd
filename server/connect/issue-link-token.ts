import { sql } from 'kysely';
import type { AuthorizationAcceptance, LinkTokenRequest, LinkTokenResponse } from '../../widget/contract.ts';
import type { LinkToken } from '../clients/plaid.ts';
import { iso, sha256 } from '../ids.ts';
import { acceptUpFront, type Origin } from '../records/authorization.ts';
import { auditSession, type FoundSession, requireWaiting } from '../records/sessions.ts';
import { authorizationText, merchantOf, viewConnection } from '../records/views.ts';
import { writeLast } from '../storage/last-writes.ts';
import type { Storage } from '../storage/open.ts';
import { enforceRateLimit, type RateLimit } from '../storage/rate-limit.ts';
import { insertRow, updateRow } from '../storage/row-writes.ts';
import type { SessionTable } from '../storage/tables.ts';
import { isAfterReturn } from './after-return.ts';
import { createLinkToken, type LinkTokenDeps } from './create-link-token.ts';
import { hasConnections } from './recognize.ts';
import { storeLinkToken } from './stored-link-tokens.ts';

/** A page needs one at the start, one after each run of Link, and one every four hours. */
const LINK_TOKENS: RateLimit = { limit: 60, windowMs: 3600_000 };

/**
 * Gives the session's page a link token, and keeps what the server needs of it later.
 * @param authorization the customer's acceptance, where it comes before there is a public token
 * @throws ProblemError when the session does not wait for its customer, `rate_limited`, `authorization_required`;
 * UpstreamError
 */
export async function issueLinkToken(
  deps: LinkTokenDeps,
  found: FoundSession,
  request: LinkTokenRequest,
  authorization: AuthorizationAcceptance | undefined,
  origin: Origin,
): Promise<LinkTokenResponse> {
  const { config, storage } = deps;
  requireWaiting(found, await storage.now());
  const session = authorization ? { ...found, ...(await acceptUpFront(storage, found, authorization, origin)) } : found;
  const token = await createLinkToken(deps, session, request);
  await recordLinkToken(deps, session, token, origin.ip);
  return {
    link_token: token.linkToken,
    expires_at: iso(token.expiresAt),
    merchant: merchantOf(session, config),
    purpose: session.purpose,
    ...((await isAfterReturn(storage, session)) ? { returned: true } : {}),
    ...(await repaired(storage, session)),
    ...(token.hostedLinkUrl ? hosted(session, token.hostedLinkUrl) : {}),
  };
}

/** A page that gets its session with the link token has not read it, and learns from here what Link is about. */
async function repaired({ db }: Storage, session: SessionTable): Promise<Partial<LinkTokenResponse>> {
  if (session.repair_connection_id === null) return {};
  const all = db.selectFrom('connections').selectAll();
  const row = await all.where('id', '=', session.repair_connection_id).executeTakeFirst();
  return row ? { repair: viewConnection(row, 'page') } : {};
}

/** A page that opens it may not be there at its end, so it learns up front which text its customer has to accept. */
function hosted(session: SessionTable, hosted_link_url: string): Partial<LinkTokenResponse> {
  const text = session.authorization_receipt === null ? authorizationText(session) : null;
  return { hosted_link_url, ...(text ? { authorization: text } : {}) };
}

/** So that `complete` stays open for as long as a public token of this link token can come. */
async function recordLinkToken(
  { storage, secrets }: LinkTokenDeps,
  session: FoundSession,
  token: LinkToken,
  ip: string | null,
): Promise<void> {
  const { linkToken, expiresAt, hostedLinkUrl } = token;
  const now = await storage.now();
  const isRead = hostedLinkUrl !== undefined || (await hasConnections(storage, session));
  await storage.transaction('rows', async (trx) => {
    const until = updateRow('sessions', { id: session.id }, { link_tokens_until: expiresAt });
    await writeLast(trx, sql`${until} and link_tokens_until < ${expiresAt}`);
    // By its hash a webhook about a Hosted Link finds the session again.
    const known = insertRow('link_tokens', { hash: sha256(linkToken), session_id: session.id, created_at: now });
    await writeLast(trx, sql`${known} on conflict (hash) do nothing`);
    if (isRead) await storeLinkToken(trx, secrets, session, token, now);
    await auditSession(trx, session, now, { actor: 'page', ip }, 'link_token.created');
  });
}

/**
 * Before a body is read. A commit of its own: instances count together, and a call to Plaid that fails is counted too.
 * @throws ProblemError `rate_limited`
 */
export async function limitLinkTokens(storage: Storage, { id }: SessionTable): Promise<void> {
  await enforceRateLimit(storage, `link-token:${id}`, LINK_TOKENS);
}
