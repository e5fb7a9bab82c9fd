import type { Hono } from 'hono';
import type { CompleteRequest } from '../../../widget/contract.ts';
import { HOSTED_PUBLIC_TOKEN, lookForHosted, withHostedToken } from '../../connect/hosted-link.ts';
import { issueLinkToken, limitLinkTokens } from '../../connect/issue-link-token.ts';
import { limitLinkExits, recordLinkExit } from '../../connect/link-exit.ts';
import { ProblemError } from '../../errors.ts';
import { connectionsOf } from '../../records/session-connections.ts';
import { listSessions } from '../../records/session-list.ts';
import {
  cancelSession,
  createPublicSession,
  createSession,
  findSession,
  limitCompletes,
  limitPublicSessions,
  requireOutcome,
} from '../../records/sessions.ts';
import { type Audience, viewSession } from '../../records/views.ts';
import { type LimitedUse, UsedUpLimits } from '../../storage/rate-limit.ts';
import type { ConnectionTable, SessionTable } from '../../storage/tables.ts';
import { about, depsAbout } from '../../trace.ts';
import { readBody, readOptionalBody, readQuery } from '../body.ts';
import type { AppContext, AppDeps, AppEnv } from '../context.ts';
import { type Credentials, originsOf } from '../credentials.ts';
import { askAgain, checkOrigin } from '../middleware.ts';
import { complaintsAboutApp } from '../native-apps.ts';
import { idempotencyKey, originOf, refuseWhenStopping } from '../request-headers.ts';
import {
  completeRequest,
  linkExitRequest,
  linkTokenRequest,
  listSessions as listSessionsQuery,
  createPublicSession as publicSessionSchema,
  createSession as sessionSchema,
} from '../request-schemas.ts';

/** As long as the server keeps it. Seconds. */
const LOGO_SECONDS = 86_400;

/** Sessions: minted by the merchant's server (or by a page in public mode), used by the page. */
export function sessionRoutes(app: Hono<AppEnv>, deps: AppDeps, credentials: Credentials, origins: Set<string>): void {
  const { config, storage, connector, logos } = deps;
  const usedUp = new UsedUpLimits();

  app.post('/v1/sessions', async (c) => {
    refuseWhenStopping(deps);
    if (credentials.isMerchant(c)) {
      const request = await readBody(c, sessionSchema);
      return c.json(await createSession(deps, request, idempotencyKey(c)), 201);
    }
    checkOrigin(c, origins);
    // A wrong key must not fall through to a public session, and a server that forgot its key should get an error.
    const isPage = c.req.header('Origin') !== undefined && c.req.header('Authorization') === undefined;
    if (!isPage) throw new ProblemError('unauthorized');
    if (!config.publicSessions.enabled) throw new ProblemError('public_sessions_off');
    await limitPublicSessions(storage, c.get('ip'));
    const request = await readOptionalBody(c, publicSessionSchema);
    return c.json(await createPublicSession(deps, config.publicSessions, request, c.get('ip')), 201);
  });

  app.get('/v1/sessions', async (c) => {
    credentials.requireMerchant(c);
    return c.json(await listSessions(deps, readQuery(c, listSessionsQuery)));
  });

  app.get('/v1/sessions/:id', async (c) => {
    const { audience, session } = await credentials.requireEither(c, c.req.param('id'));
    if (audience === 'merchant') return answer(c, deps, session, audience);
    await lookForHosted(depsAbout(deps, { session: session.id }), session);
    return answer(c, deps, (await findSession(storage, session.id)) ?? session, audience);
  });

  app.post('/v1/sessions/:id/link-token', async (c) => {
    const session = await credentials.requirePage(c, c.req.param('id'));
    await limitLinkTokens(storage, session);
    const { authorization, ...request } = await readOptionalBody(c, linkTokenRequest);
    if (request.mode === 'hosted' && !deps.config.hostedLink) {
      const errors = [{ path: 'mode', message: 'must not be hosted: HOSTED_LINK is off' }];
      throw new ProblemError('invalid_request', { errors });
    }
    const { nativeApps } = deps.config;
    const isApp = request.platform !== undefined && nativeApps.includes(request.return_url ?? '');
    if (request.return_url !== undefined && !isApp && !isPageOn(originsOf(session, origins), request.return_url)) {
      const message = request.platform ? 'must be one of NATIVE_APPS' : 'must be on an allowed origin';
      throw new ProblemError('invalid_request', {
        errors: [{ path: 'return_url', message }],
      });
    }
    const errors = complaintsAboutApp(request, nativeApps);
    if (errors.length > 0) {
      throw new ProblemError('invalid_request', { errors });
    }
    refuseWhenStopping(deps);
    const own = depsAbout(deps, { session: session.id });
    return c.json(await issueLinkToken(own, session, request, authorization, originOf(c)));
  });

  app.post('/v1/sessions/:id/complete', async (c) => {
    const session = await credentials.requirePage(c, c.req.param('id'));
    const limit = limitCompletes(storage, session, usedUp);
    // Its count is written with the public token. A body that can no longer count for anything is not read.
    limit.refuseUsedUp();
    try {
      const request = await readPublicToken(c, session, limit);
      const facts = { requestId: c.get('requestId'), ...originOf(c) };
      const outcome = await connector.complete(session, request, facts, limit);
      requireOutcome(outcome.session);
      return await answer(c, deps, outcome.session, 'page', outcome.connections);
    } finally {
      // A request that was refused, or repeats another one, counts as much as any.
      await limit.count();
    }
  });

  async function readPublicToken(c: AppContext, session: SessionTable, limit: LimitedUse): Promise<CompleteRequest> {
    const sent = await readBody(c, completeRequest);
    refuseWhenStopping(deps);
    if (sent.public_token !== HOSTED_PUBLIC_TOKEN) return sent;
    await limit.count();
    return withHostedToken(depsAbout(deps, { session: session.id }), session, sent);
  }

  app.post('/v1/sessions/:id/link-exit', async (c) => {
    const session = await credentials.requirePage(c, c.req.param('id'));
    await limitLinkExits(storage, session);
    const exit = await readBody(c, linkExitRequest);
    refuseWhenStopping(deps);
    await recordLinkExit(storage, session, exit, originOf(c));
    return c.body(null, 204);
  });

  app.get('/v1/sessions/:id/institutions/:institution_id/logo', async (c) => {
    const session = await credentials.requirePage(c, c.req.param('id'));
    const connections = await connectionsOf(storage.db, session);
    const institutionId = c.req.param('institution_id');
    // Only of banks of this session, so that no caller can have Plaid asked for others.
    const isOwn = connections.some(({ institution_id }) => institution_id === institutionId);
    const logo = isOwn ? await about({ session: session.id }, () => logos.find(institutionId)) : null;
    // No problem: a browser would write that to the console of the merchant's page.
    if (!logo) return c.body(null, 204);
    return c.body(logo, 200, { 'Content-Type': 'image/png', 'Cache-Control': `private, max-age=${LOGO_SECONDS}` });
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
  known?: ConnectionTable[],
): Promise<Response> {
  const connections = known ?? (await connectionsOf(storage.db, session));
  const body = viewSession(session, connections, audience, await storage.now(), config);
  if (session.status !== 'processing') return c.json(body);
  askAgain(c);
  // Also HEAD, which is answered as GET is.
  return c.json(body, c.req.method === 'POST' ? 202 : 200);
}

/** A page, and nothing else that has an origin: no blob, no credentials in it. */
function isPageOn(origins: Set<string>, url: string): boolean {
  const { origin, protocol, username, password } = new URL(url);
  return (
    origins.has(origin) && /^https?:$/.test(protocol) && username === '' && password === '' && !/[\p{Cc}\s]/u.test(url)
  );
}
