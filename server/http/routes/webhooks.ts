import type { Hono, MiddlewareHandler } from 'hono';
import { ProblemError } from '../../errors.ts';
import { addressBlock } from '../../hosts.ts';
import { isEmptyBody, readBytes, refuseParsedBody } from '../body.ts';
import { createBodyMemory } from '../body-memory.ts';
import type { AppDeps, AppEnv } from '../context.ts';
import { safeAnswers } from '../middleware.ts';

/** Plaid's EVENTS grow with a session's steps; a megabyte is a thousand of them. */
const MAX_BYTES = 1024 * 1024;

/** What Plaid and Finix send. Answered 200 as soon as it is stored: both give up on a slow receiver and send again. */
export function webhookRoutes(app: Hono<AppEnv>, { config, inbound }: AppDeps): void {
  const answer = safeAnswers(config);
  const memory = createBodyMemory();

  // Plaid signs the body's hash, so with a known key the signature is proved before a byte of the body is read.
  app.post('/webhooks/plaid', requirePlausiblePlaid, async (c) => {
    refuseParsedBody(c);
    const caller = addressBlock(c.get('ip'));
    const readBody = (isProven: boolean) => readBytes(c, MAX_BYTES, isProven ? undefined : { memory, caller });
    await inbound.receivePlaid(c.req.header('Plaid-Verification'), readBody, caller);
    return answer(c, { received: true });
  });

  // Finix signs the body itself: until it is whole, its bytes are a stranger's.
  app.post('/webhooks/finix', requirePlausibleFinix, async (c) => {
    const body = await readBytes(c, MAX_BYTES, { memory, caller: addressBlock(c.get('ip')) });
    if ((await inbound.receiveFinix(body, c.req.header('Finix-Signature'))) === 'foreign') c.set('isQuiet', true);
    return answer(c, { received: true });
  });
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
  const isChunked = c.req.header('Transfer-Encoding') !== undefined;
  const isEmpty = (c.req.header('Content-Length') ?? '0') === '0' && !isChunked;
  const isPlausible = /timestamp=\d{1,12}/.test(c.req.header('Finix-Signature') ?? '');
  if (!isEmpty && !isPlausible) {
    // Its first byte shows whether a chunked body has one.
    if (isChunked && (await isEmptyBody(c))) return c.json({ received: true });
    throw new ProblemError('unauthorized', {
      detail: 'The Finix-Signature header is missing or malformed.',
      action: 'contact_merchant',
      closes: true,
    });
  }
  await next();
};
