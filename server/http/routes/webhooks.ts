import type { Hono, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { ProblemError } from '../../errors.ts';
import { addressBlock } from '../../hosts.ts';
import { refuseParsedBody } from '../body.ts';
import type { AppContext, AppDeps, AppEnv } from '../context.ts';

/** Plaid's EVENTS grow with a session's steps; a megabyte is a thousand of them. */
const MAX_BYTES = 1024 * 1024;

/** What Plaid and Finix send. Answered 200 as soon as it is stored: both give up on a slow receiver and send again. */
export function webhookRoutes(app: Hono<AppEnv>, { inbound }: AppDeps): void {
  const limit = bodyLimit({
    maxSize: MAX_BYTES,
    onError: () => {
      throw new ProblemError('body_too_large', { detail: `Send at most ${MAX_BYTES} bytes.`, closes: true });
    },
  });

  // Headers are checked before a body is read: what can't be genuine must not fill the memory.
  app.post('/webhooks/plaid', requirePlausiblePlaid, limit, async (c) => {
    await inbound.receivePlaid(await rawBody(c), c.req.header('Plaid-Verification'), addressBlock(c.get('ip')));
    return c.json({ received: true });
  });

  app.post('/webhooks/finix', requirePlausibleFinix, limit, async (c) => {
    await inbound.receiveFinix(await rawBody(c), c.req.header('Finix-Signature'));
    return c.json({ received: true });
  });
}

/** Byte for byte: the signatures are over exactly what was sent. */
async function rawBody(c: AppContext): Promise<Uint8Array> {
  refuseParsedBody(c);
  return new Uint8Array(await c.req.arrayBuffer());
}

const requirePlausiblePlaid: MiddlewareHandler<AppEnv> = async (c, next) => {
  // A JWT: three parts in base64url. No genuine one is longer than a few hundred characters.
  const token = c.req.header('Plaid-Verification') ?? '';
  if (!/^[\w-]{1,1024}\.[\w-]{1,2048}\.[\w-]{1,1024}$/.test(token)) {
    throw new ProblemError('unauthorized', {
      detail: 'The Plaid-Verification header is missing or malformed.',
      action: 'contact_merchant',
      closes: true,
    });
  }
  await next();
};

/** Finix's test of an address is an empty body, signed or not; everything else has a signature. */
const requirePlausibleFinix: MiddlewareHandler<AppEnv> = async (c, next) => {
  const isEmpty = (c.req.header('Content-Length') ?? '0') === '0' && c.req.header('Transfer-Encoding') === undefined;
  const isPlausible = /timestamp=\d{1,12}/.test(c.req.header('Finix-Signature') ?? '');
  if (!isEmpty && !isPlausible) {
    throw new ProblemError('unauthorized', {
      detail: 'The Finix-Signature header is missing or malformed.',
      action: 'contact_merchant',
      closes: true,
    });
  }
  await next();
};
