import type { Hono } from 'hono';
import type { LinkTokenResponse } from '../../../widget/contract.ts';
import type { LinkToken } from '../../clients/plaid.ts';
import { createLinkToken } from '../../connect/create-link-token.ts';
import { HOSTED_PUBLIC_TOKEN, lookForHosted, withHostedToken } from '../../connect/hosted-link.ts';
import { hasConnections } from '../../connect/recognize.ts';
import { storeLinkToken } from '../../connect/stored-link-tokens.ts';
import { ProblemError } from '../../errors.ts';
import { sha256 } from '../../ids.ts';
import { acceptUpFront, type Origin } from '../../records/authorization.ts';
import { connectionsOf } from '../../records/session-connections.ts';
import {
  auditSession,
  cancelSession,
  createPublicSession,
  createSession,
  findSession,
} from '../../records/sessions.ts';
import {
  type Audience,
  authorizationText,
  merchantOf,
  shownStatus,
  storedProblem,
  viewSession,
} from '../../records/views.ts';
import { type RateLimit, takeRateLimit } from '../../storage/rate-limit.ts';
import type { SessionTable } from '../../storage/tables.ts';
import { readBody, readOptionalBody } from '../body.ts';
import type { AppContext, AppDeps, AppEnv } from '../context.ts';
import type { Credentials } from '../credentials.ts';
import { checkOrigin } from '../middleware.ts';
import {
  completeRequest,
  linkTokenRequest,
  createPublicSession as publicSessionSchema,
  createSession as sessionSchema,
} from '../request-schemas.ts';

/** A family or a small office behind one address; a script that mints sessions is stopped within a second. */
const PUBLIC_SESSIONS: RateLimit = { limit: 30, windowMs: 60_000 };
/** A page needs one at the start, one after each try in Link, and one every four hours. */
const LINK_TOKENS: RateLimit = { limit: 60, windowMs: 3600_000 };
/** How soon the page asks again while work goes on. Seconds. */
const POLL_AFTER = 2;

/** Sessions: minted by the merchant's server (or by a page in public mode), used by the page. */
export function sessionRoutes(app: Hono<AppEnv>, deps: AppDeps, credentials: Credentials, origins: Set<string>): void {
  const { config, storage, connector } = deps;

  app.post('/v1/sessions', async (c) => {
    refuseWhenStopping(deps);
    if (credentials.isMerchant(c)) {
      const request = await readBody(c, sessionSchema);
      return c.json(await createSession(deps, request, idempotencyKey(c)), 201);
    }
    checkOrigin(c, origins);
    // A wrong key must not fall through to a public session, and a server that forgot its key should hear so.
    const isPage = c.req.header('Origin') !== undefined && c.req.header('Authorization') === undefined;
    if (!isPage) throw new ProblemError('unauthorized');
    if (!config.publicSessions.enabled) throw new ProblemError('public_sessions_off');
    const request = await readOptionalBody(c, publicSessionSchema);
    await limit(deps, `public-session:${addressBlock(c.get('ip'))}`, PUBLIC_SESSIONS);
    return c.json(await createPublicSession(deps, config.publicSessions, request, c.get('ip')), 201);
  });

  app.get('/v1/sessions/:id', async (c) => {
    const { audience, session } = await credentials.requireEither(c, c.req.param('id'));
    if (audience === 'merchant') return answer(c, deps, session, audience);
    await lookForHosted(deps, session);
    return answer(c, deps, (await findSession(storage, session.id)) ?? session, audience);
  });

  app.post('/v1/sessions/:id/link-token', async (c) => {
    let session = await credentials.requirePage(c, c.req.param('id'));
    const { authorization, ...request } = await readOptionalBody(c, linkTokenRequest);
    if (request.return_url !== undefined && !isPageOn(origins, request.return_url)) {
      const errors = [{ path: 'return_url', message: 'must be on an allowed origin' }];
      throw new ProblemError('invalid_request', { errors, detail: 'Invalid: return_url.' });
    }
    const now = await storage.now();
    requireWaiting(session, now);
    refuseWhenStopping(deps);
    await limit(deps, `link-token:${session.id}`, LINK_TOKENS);
    if (authorization) session = await acceptUpFront(storage, session, authorization, originOf(c));
    const token = await createLinkToken(deps, session, request);
    await noteLinkToken(deps, session, token, c.get('ip'));
    return c.json({
      link_token: token.linkToken,
      expires_at: new Date(token.expiresAt).toISOString(),
      merchant: merchantOf(config),
      purpose: session.purpose,
      ...(token.hostedLinkUrl ? hosted(session, token.hostedLinkUrl) : {}),
    } satisfies LinkTokenResponse);
  });

  app.post('/v1/sessions/:id/complete', async (c) => {
    const session = await credentials.requirePage(c, c.req.param('id'));
    const sent = await readBody(c, completeRequest);
    refuseWhenStopping(deps);
    const request = sent.public_token === HOSTED_PUBLIC_TOKEN ? await withHostedToken(deps, session, sent) : sent;
    const outcome = await connector.complete(session.id, request, { requestId: c.get('requestId'), ...originOf(c) });
    if (outcome.status === 'open' || outcome.status === 'restart_required') throwOutcome(outcome);
    if (outcome.status === 'canceled') throw new ProblemError('session_canceled');
    return answer(c, deps, outcome, 'page');
  });

  app.post('/v1/sessions/:id/cancel', async (c) => {
    credentials.requireMerchant(c);
    const session = await cancelSession(deps, c.req.param('id'));
    return answer(c, deps, session, 'merchant');
  });
}

/** 202 while it is being worked on, with when to ask again. */
async function answer(
  c: AppContext,
  { config, storage }: AppDeps,
  session: SessionTable,
  audience: Audience,
): Promise<Response> {
  const connections = await connectionsOf(storage.db, session);
  const body = viewSession(session, connections, audience, await storage.now(), config);
  const isPolled = c.req.method === 'GET';
  if (session.status !== 'processing') return c.json(body);
  c.header('Retry-After', String(POLL_AFTER));
  return c.json(body, isPolled ? 200 : 202);
}

/** The work ended where the customer must go on: the page gets the problem that says how. */
function throwOutcome(session: SessionTable): never {
  const problem = storedProblem(session);
  if (!problem) throw new ProblemError('internal_error');
  const { code, request_id: _, ...extras } = problem;
  // Plaid says of a bank that is down: hours, not minutes.
  throw new ProblemError(code, code === 'bank_unavailable' ? { ...extras, retryAfter: 3600 } : extras);
}

function requireWaiting(session: SessionTable, now: number): void {
  const status = shownStatus(session, now);
  if (status === 'expired') throw new ProblemError('session_expired');
  if (status === 'canceled') throw new ProblemError('session_canceled');
  if (status === 'completed') throw new ProblemError('session_already_completed');
  if (status === 'failed') throw new ProblemError('session_failed');
  if (status === 'processing') throw new ProblemError('session_busy');
}

/** A page, and nothing else that has an origin: no blob, no credentials in it. */
function isPageOn(origins: Set<string>, url: string): boolean {
  const { origin, protocol, username, password } = new URL(url);
  return (
    origins.has(origin) && /^https?:$/.test(protocol) && username === '' && password === '' && !/[\p{Cc}\s]/u.test(url)
  );
}

/** For the receipt of what is accepted. */
function originOf(c: AppContext): Origin {
  // Long enough for any browser's.
  return { ip: c.get('ip'), userAgent: c.req.header('User-Agent')?.slice(0, 500) ?? null };
}

/** A page that opens it may not be there at its end, so it is told what its customer has to accept before. */
function hosted(session: SessionTable, hosted_link_url: string): Partial<LinkTokenResponse> {
  const text = session.authorization_receipt === null ? authorizationText(session) : null;
  return { hosted_link_url, ...(text ? { authorization: text } : {}) };
}

/** So that `complete` stays open for as long as a public token of this link token can come. */
async function noteLinkToken(
  { storage, secrets }: AppDeps,
  session: SessionTable,
  token: LinkToken,
  ip: string | null,
): Promise<void> {
  const { linkToken, expiresAt, hostedLinkUrl } = token;
  const now = await storage.now();
  const isRead = hostedLinkUrl !== undefined || (await hasConnections(storage, session));
  await storage.transaction(`customer:${session.customer_id}`, async (trx) => {
    await trx
      .updateTable('sessions')
      .set({ link_tokens_until: expiresAt })
      .where('id', '=', session.id)
      .where('link_tokens_until', '<', expiresAt)
      .execute();
    // By its hash a webhook about a Hosted Link finds the session again.
    await trx
      .insertInto('link_tokens')
      .values({ hash: sha256(linkToken), session_id: session.id, created_at: now })
      .onConflict((conflict) => conflict.column('hash').doNothing())
      .execute();
    if (isRead) await storeLinkToken(trx, secrets, session, token, now);
    await auditSession(trx, session, now, { actor: 'page', ip }, 'link_token.created');
  });
}

async function limit({ storage }: AppDeps, bucket: string, rate: RateLimit): Promise<void> {
  const { allowed, retryAfterSeconds } = await takeRateLimit(storage, bucket, rate);
  if (!allowed) throw new ProblemError('rate_limited', { retryAfter: retryAfterSeconds });
}

/** One IPv6 customer has a whole /64; counting single addresses would not limit anybody. */
export function addressBlock(ip: string | null): string {
  if (ip === null) return 'unknown';
  if (!ip.includes(':')) return ip;
  const [head = ''] = ip.split('::');
  return `${head.split(':').concat(['0', '0', '0', '0']).slice(0, 4).join(':')}::/64`;
}

function idempotencyKey(c: AppContext): string | undefined {
  const key = c.req.header('Idempotency-Key');
  if (key !== undefined && !/^[\x21-\x7e]{1,255}$/.test(key)) {
    const errors = [{ path: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' }];
    throw new ProblemError('invalid_request', { errors, detail: 'Invalid: the Idempotency-Key header.' });
  }
  return key;
}

function refuseWhenStopping({ isStopping }: AppDeps): void {
  if (isStopping()) throw new ProblemError('shutting_down', { retryAfter: 1 });
}
