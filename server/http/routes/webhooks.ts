import type { Hono } from 'hono';
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
      throw new ProblemError('body_too_large', { detail: `Send at most ${MAX_BYTES} bytes.` });
    },
  });

  app.post('/webhooks/plaid', limit, async (c) => {
    await inbound.receivePlaid(await rawBody(c), c.req.header('Plaid-Verification'), addressBlock(c.get('ip')));
    return c.json({ received: true });
  });

  app.post('/webhooks/finix', limit, async (c) => {
    await inbound.receiveFinix(await rawBody(c), c.req.header('Finix-Signature'));
    return c.json({ received: true });
  });
}

/** Byte for byte: the signatures are over exactly what was sent. */
async function rawBody(c: AppContext): Promise<Uint8Array> {
  refuseParsedBody(c);
  return new Uint8Array(await c.req.arrayBuffer());
}
