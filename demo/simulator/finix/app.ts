import { randomUUID, timingSafeEqual } from 'node:crypto';
import { Hono } from 'hono';
import type { Context } from '../context.ts';
import { base64, finixId } from '../ids.ts';
import { pipe, type SimulatorEnv } from '../pipe.ts';
import { Refusal } from '../refusal.ts';
import { finixFault, finixRefusal } from './errors.ts';
import * as identities from './identities.ts';
import * as instruments from './payment-instruments.ts';
import * as transfers from './transfers.ts';

// The version that this project is written against. Finix would fall back to one of 2018 without the header, with other
// lists.
const VERSION = '2022-02-01';

/** Finix's API, as far as this project needs it; to be mounted at `/finix`. */
export function finixApp(context: Context): Hono<SimulatorEnv> {
  const app = new Hono<SimulatorEnv>();
  const application = finixId('AP');
  const baseOf = (url: string): identities.Base => ({ url: `${new URL(url).origin}/finix`, application });

  app.use(
    pipe(context, 'finix', {
      respond,
      fault: finixFault,
      invalidJson: () => finixRefusal(400, 'The body is not JSON.'),
    }),
  );
  app.use(async (c, next) => {
    checkHeaders(context, c.req.method, (name) => c.req.header(name));
    await next();
  });

  app.post('/identities', (c) => respond(201, identities.postIdentity(context, c.get('json'), baseOf(c.req.url))));
  app.get('/identities', (c) => respond(200, identities.listIdentities(context, c.req.query(), baseOf(c.req.url))));
  app.get('/identities/:id', (c) => respond(200, identities.getIdentity(context, c.req.param('id'))));
  app.put('/identities/:id', (c) => respond(200, identities.putIdentity(context, c.req.param('id'), c.get('json'))));

  const path = '/payment_instruments';
  app.post(path, (c) => respond(201, instruments.postInstrument(context, c.get('json'), baseOf(c.req.url))));
  app.get(path, (c) => respond(200, instruments.listInstruments(context, c.req.query(), baseOf(c.req.url))));
  app.get(`${path}/:id`, (c) => respond(200, instruments.getInstrument(context, c.req.param('id'))));
  app.put(`${path}/:id`, (c) => respond(200, instruments.putInstrument(context, c.req.param('id'), c.get('json'))));

  app.post('/transfers', (c) => respond(201, transfers.postTransfer(context, c.get('json'), baseOf(c.req.url))));
  app.get('/transfers', (c) => respond(200, transfers.listTransfers(context, c.req.query(), baseOf(c.req.url))));
  app.get('/transfers/:id', (c) => respond(200, transfers.getTransfer(context, c.req.param('id'))));
  app.put('/transfers/:id', (c) => respond(200, transfers.putTransfer(context, c.req.param('id'), c.get('json'))));
  app.post('/transfers/:id/reversals', (c) =>
    respond(201, transfers.postReversal(context, c.req.param('id'), c.get('json'), baseOf(c.req.url))),
  );
  app.get('/transfers/:id/reversals', (c) =>
    respond(200, transfers.listReversals(context, c.req.param('id'), c.req.query(), baseOf(c.req.url))),
  );

  // A mounted app has no answer of its own for what is not found, so these are routes, behind all others.
  for (const known of new Set(app.routes.filter(({ method }) => method !== 'ALL').map((route) => route.path))) {
    app.all(known, () => refuse(finixRefusal(405, 'The method is not allowed.')));
  }
  app.all('*', () => refuse(finixRefusal(404, 'The resource was not found.')));
  app.onError((error) => {
    if (error instanceof Refusal) return refuse(error);
    throw error;
  });
  return app;
}

/**
 * Finix documents hal+json, its own SDK sends it, its samples send vnd.json+api, and its reference sends plain JSON.
 */
const JSON_TYPE = /^application\/(json|hal\+json|vnd\.json\+api|vnd\.api\+json)\s*(;|$)/i;

function checkHeaders(context: Context, method: string, header: (name: string) => string | undefined): void {
  const { username, password } = context.finix;
  const expected = `Basic ${base64(bytesOf(`${username}:${password}`))}`;
  if (!isSame(header('authorization') ?? '', expected)) throw finixRefusal(401, 'Unauthorized');
  if (header('finix-version') !== VERSION) {
    throw finixRefusal(400, `The simulator takes requests with the header Finix-Version: ${VERSION} only.`);
  }
  const accept = header('accept') ?? '*/*';
  if (!/\*\/\*|application\/(\*|hal\+json|json)/.test(accept)) {
    throw finixRefusal(406, 'Accept must allow application/hal+json.');
  }
  const hasBody = method === 'POST' || method === 'PUT';
  if (hasBody && !JSON_TYPE.test(header('content-type') ?? '')) {
    throw finixRefusal(400, 'Content-Type must be application/json or application/hal+json.');
  }
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [bytesOf(given), bytesOf(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function refuse({ status, body }: Refusal): Response {
  return respond(status, body);
}

function respond(status: number, body: unknown): Response {
  return new Response(typeof body === 'string' ? body : JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/hal+json;charset=UTF-8', 'x-request-id': randomUUID() },
  });
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
