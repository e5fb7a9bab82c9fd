import { Hono } from 'hono';
import type { Context } from '../context.ts';
import { plaidRequestId } from '../ids.ts';
import { pipe, type SimulatorEnv } from '../pipe.ts';
import { Refusal } from '../refusal.ts';
import { getBalance } from './balance.ts';
import { plaidFault, plaidRefusal } from './errors.ts';
import { matchIdentity } from './identity-match.ts';
import * as items from './items.ts';
import { createLinkToken, getLinkToken } from './link-tokens.ts';
import * as processorTokens from './processor-tokens.ts';
import { read } from './read.ts';
import * as sandbox from './sandbox.ts';
import { verificationKey } from './schemas.ts';
import * as signal from './signal.ts';

type Endpoint = (context: Context, json: unknown, origin: string) => Record<string, unknown>;

const ENDPOINTS: Record<string, Endpoint> = {
  '/link/token/create': createLinkToken,
  '/link/token/get': getLinkToken,
  '/item/public_token/exchange': items.exchangePublicToken,
  '/item/get': items.getItem,
  '/item/remove': items.removeItem,
  '/item/webhook/update': items.updateWebhook,
  '/accounts/get': items.getAccounts,
  '/auth/get': items.getAuth,
  '/identity/get': items.getIdentity,
  '/accounts/balance/get': getBalance,
  '/identity/match': matchIdentity,
  '/processor/token/create': processorTokens.createProcessorToken,
  '/processor/token/permissions/set': processorTokens.setPermissions,
  '/processor/token/permissions/get': processorTokens.getPermissions,
  '/signal/prepare': signal.prepareSignal,
  '/signal/evaluate': signal.evaluate,
  '/signal/decision/report': signal.reportDecision,
  '/signal/return/report': signal.reportReturn,
  '/institutions/get_by_id': (_context, json) => items.getInstitution(json),
  '/webhook_verification_key/get': webhookKey,
  '/sandbox/item/fire_webhook': sandbox.fireWebhook,
  '/sandbox/public_token/create': sandbox.createPublicToken,
  '/sandbox/item/reset_login': sandbox.resetLogin,
  '/sandbox/item/set_verification_status': sandbox.setVerificationStatus,
};

/** `/webhook_verification_key/get`: the public half of the key that webhooks are signed with. */
function webhookKey({ webhooks }: Context, json: unknown): Record<string, unknown> {
  const { key_id } = read(verificationKey, json);
  const key = webhooks.key(key_id);
  if (!key) throw plaidRefusal('INVALID_WEBHOOK_VERIFICATION_KEY_ID');
  return { key };
}

// The only version.
const VERSION = '2020-09-14';

/** Plaid's API, as far as this project needs it; to be mounted at `/plaid`. */
export function plaidApp(context: Context): Hono<SimulatorEnv> {
  const app = new Hono<SimulatorEnv>();
  app.use(
    pipe(context, 'plaid', {
      respond,
      fault: plaidFault,
      invalidJson: () => plaidRefusal('INVALID_BODY'),
    }),
  );
  for (const [path, endpoint] of Object.entries(ENDPOINTS)) {
    app.post(path, (c) => {
      const json = c.get('json');
      checkHeaders(context, (name) => c.req.header(name), json);
      return respond(200, { ...endpoint(context, json, new URL(c.req.url).origin), request_id: plaidRequestId() });
    });
  }
  // A mounted app has no answer of its own for what is not found, so this is a route, behind all others.
  app.all('*', () => refuse(plaidRefusal('NOT_FOUND')));
  app.onError((error) => {
    if (error instanceof Refusal) return refuse(error);
    throw error;
  });
  return app;
}

function checkHeaders(context: Context, header: (name: string) => string | undefined, json: unknown): void {
  if (!header('content-type')?.startsWith('application/json')) throw plaidRefusal('INVALID_HEADERS');
  const version = header('plaid-version');
  if (version !== undefined && version !== VERSION) {
    throw plaidRefusal('INCOMPATIBLE_API_VERSION', `Plaid-Version ${version} is not supported`);
  }
  const inBody = (json ?? {}) as { client_id?: unknown; secret?: unknown };
  const clientId = header('plaid-client-id') ?? inBody.client_id;
  const secret = header('plaid-secret') ?? inBody.secret;
  const missing = [clientId ? [] : ['client_id'], secret ? [] : ['secret']].flat();
  if (missing.length > 0) {
    throw plaidRefusal('MISSING_FIELDS', `the following required fields are missing: ${missing.join(', ')}`);
  }
  if (clientId !== context.plaid.clientId || secret !== context.plaid.secret) throw plaidRefusal('INVALID_API_KEYS');
}

function refuse({ status, body }: Refusal): Response {
  return respond(status, body);
}

function respond(status: number, body: unknown): Response {
  return new Response(typeof body === 'string' ? body : JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
  });
}
