import { type Context, Hono } from 'hono';
import { ProblemError, toProblem } from '../../../server/errors.ts';
import { plaidUserId, sha256 } from '../../../server/ids.ts';
import { judgeConnection, verdictOf } from '../../../server/lifecycle/check-rules.ts';
import { signTestWebhook } from '../../../widget/client.ts';
import type {
  CompleteRequest,
  ConnectionEvent,
  CreateSessionRequest,
  LinkTokenRequest,
} from '../../../widget/contract.ts';
import type { Simulator } from '../../simulator/simulator.ts';
import { complete } from './connect.ts';
import { type EventDeps, handleFinix, handlePlaid } from './events.ts';
import { createProviders } from './providers.ts';
import { type ConnectionRecord, newRecordId, type Records, type SessionRecord, viewOf } from './records.ts';

export interface ConnectOptions {
  simulator: Simulator;
  /** Where the page comes from. */
  origin: string;
  /** Of this app. */
  url: string;
  merchantKey: string;
  /** The merchant's own name, where a session gives none. */
  merchantName: string;
  webhookSecret: string;
  /** Brings a webhook to the merchant. */
  deliver(body: string, headers: Record<string, string>): Promise<unknown>;
}

/**
 * A stand-in for the connect server where there is no server: the part of its contract that the demo uses, in memory,
 * by the server's own rules for accounts, owners, returns and checks. It has no storage, no leases and no recovery
 * points, verifies no signature and keeps no idempotency keys: those are what the real server is for.
 */
export function createConnect(options: ConnectOptions): Hono {
  const { simulator, origin, merchantKey } = options;
  const records: Records = { sessions: new Map(), connections: new Map(), identities: new Map() };
  const providers = createProviders(simulator.app, origin);

  async function tell(connection: ConnectionRecord, type: ConnectionEvent['type']): Promise<void> {
    const timestamp = new Date().toISOString();
    connection.view.updated_at = timestamp;
    const event: ConnectionEvent = { type, timestamp, data: structuredClone(connection.view) };
    const { body, headers } = await signTestWebhook(event, options.webhookSecret);
    await options.deliver(body, headers);
  }
  const deps: EventDeps = {
    records,
    providers,
    changed: async (connection) => {
      const { status } = connection.view;
      if (status !== 'pending') await tell(connection, `connection.${status}`);
    },
    returned: (connection) => tell(connection, 'connection.returned'),
  };

  const app = new Hono();

  app.post('/v1/sessions', async (c) => {
    const given = await c.req.json<CreateSessionRequest>();
    const isMerchant = c.req.header('Authorization') === `Bearer ${merchantKey}`;
    const request = isMerchant ? given : { ...given, customer_id: newRecordId('anon') };
    const session = newSession(request, options.merchantName);
    records.sessions.set(session.id, session);
    return c.json({ ...viewOf(session, isMerchant ? 'merchant' : 'page'), client_secret: session.secret }, 201);
  });

  app.get('/v1/sessions/:id', (c) => c.json(viewOf(sessionOf(c), 'page')));

  app.post('/v1/sessions/:id/link-token', async (c) => {
    const session = sessionOf(c);
    const { language = session.request.language } = await c.req.json<LinkTokenRequest>();
    const repaired = records.connections.get(session.request.connection ?? '');
    const { link_token, expiration } = await providers.plaid('/link/token/create', {
      client_name: session.merchant,
      language: language?.split('-')[0] ?? 'en',
      country_codes: ['US'],
      user: { client_user_id: plaidUserId(session.request.customer_id) },
      ...(session.request.link_customization ? { link_customization_name: session.request.link_customization } : {}),
      ...(repaired
        ? { access_token: repaired.accessToken }
        : { products: ['auth', 'identity'], webhook: `${options.url}/webhooks/plaid` }),
    });
    const { purpose = 'debit' } = session.request;
    return c.json({ link_token, expires_at: expiration, merchant: { name: session.merchant }, purpose });
  });

  app.post('/v1/sessions/:id/complete', async (c) => {
    const session = sessionOf(c);
    const request = await c.req.json<CompleteRequest>();
    if (session.status === 'open' || session.status === 'restart_required') {
      session.work ??= complete(deps, session, request).finally(() => {
        session.work = null;
        session.updatedAt = Date.now();
      });
      await session.work;
    }
    return c.json(viewOf(session, 'page'));
  });

  app.post('/v1/sessions/:id/link-exit', (c) => c.body(null, 204));
  // The element draws the bank's initial.
  app.get('/v1/sessions/:id/institutions/:institution/logo', (c) => c.body(null, 204));

  app.get('/v1/connections/:id', (c) => c.json(connectionOf(c).view));

  app.post('/v1/connections/:id/check', (c) => {
    const { view, reason } = connectionOf(c);
    const known = {
      status: view.status,
      reason,
      last_return: view.last_return && JSON.stringify(view.last_return),
      verification: JSON.stringify(view.verification),
      changed_bank_at: null,
      bank_account_validation_check: null,
    };
    const created_at = new Date().toISOString();
    return c.json({
      id: newRecordId('chk'),
      object: 'check',
      ...verdictOf(judgeConnection(known, Date.now(), 0, 0)),
      balance: null,
      signal: null,
      connection: view.id,
      created_at,
    });
  });

  app.post('/webhooks/plaid', async (c) => {
    await handlePlaid(deps, await c.req.json());
    return c.body(null, 200);
  });
  app.post('/webhooks/finix', async (c) => {
    await handleFinix(deps, await c.req.json());
    return c.body(null, 200);
  });

  app.notFound((c) => problem(c, new ProblemError('not_found', { detail: 'The static demo has no such call.' })));
  app.onError((error, c) => problem(c, error instanceof ProblemError ? error : new ProblemError('internal_error')));

  function sessionOf(c: Context): SessionRecord {
    const session = records.sessions.get(c.req.param('id') ?? '');
    const credential = c.req.header('Authorization');
    if (!session || (credential !== `Bearer ${session.secret}` && credential !== `Bearer ${merchantKey}`)) {
      throw new ProblemError('unauthorized');
    }
    return session;
  }

  function connectionOf(c: Context): ConnectionRecord {
    if (c.req.header('Authorization') !== `Bearer ${merchantKey}`) throw new ProblemError('unauthorized');
    const connection = records.connections.get(c.req.param('id') ?? '');
    if (!connection) throw new ProblemError('not_found');
    return connection;
  }
  return app;
}

function newSession(request: CreateSessionRequest, merchantName: string): SessionRecord {
  const id = newRecordId('ses');
  const { authorization } = request;
  const now = Date.now();
  return {
    id,
    secret: `${id}_secret_${crypto.randomUUID().replaceAll('-', '')}`,
    mode: request.connection ? 'repair' : 'connect',
    status: 'open',
    request,
    merchant: request.merchant?.name ?? merchantName,
    authorization: authorization ? { ...authorization, text_sha256: sha256(authorization.text) } : null,
    connections: [],
    error: null,
    createdAt: now,
    updatedAt: now,
    login: null,
    work: null,
  };
}

function problem(c: Context, { code, extras, status }: ProblemError): Response {
  return c.json(toProblem(code, extras, 'req_static'), status as 400, { 'Content-Type': 'application/problem+json' });
}
