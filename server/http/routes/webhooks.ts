import type { Hono } from 'hono';
import { unverifiedWebhook } from '../../errors.ts';
import { addressBlock } from '../../hosts.ts';
import { isEmptyBody, readBytes, refuseParsedBody } from '../body.ts';
import { createBodyMemory } from '../body-memory.ts';
import type { AppContext, AppDeps, AppEnv } from '../context.ts';
import { safeAnswers } from '../safe-headers.ts';

/** Plaid's EVENTS grow with a session's steps; a megabyte is a thousand of them. */
const MAX_BYTES = 1024 * 1024;

/** What Plaid and Finix send. Answered 200 as soon as it is stored: both give up on a slow receiver and send again. */
export function webhookRoutes(app: Hono<AppEnv>, { config, inbound }: AppDeps): void {
  const answer = safeAnswers(config);
  const memory = createBodyMemory();

  // Plaid signs the body's hash, so with a known key the signature is proved before a byte of the body is read.
  app.post('/webhooks/plaid', async (c) => {
    const token = c.req.header('Plaid-Verification');
    requirePlausiblePlaid(token);
    refuseParsedBody(c);
    const caller = addressBlock(c.get('ip'));
    const readBody = (isProven: boolean) => readBytes(c, MAX_BYTES, isProven ? undefined : { memory, caller });
    await inbound.receivePlaid(token, readBody, caller);
    return answer(c, { received: true });
  });

  // Finix signs the body itself: until it is whole, its bytes are unverified.
  app.post('/webhooks/finix', async (c) => {
    const signature = c.req.header('Finix-Signature');
    if (!isPlausibleFinix(signature) && (await isTest(c))) return answer(c, { received: true });
    const body = await readBytes(c, MAX_BYTES, { memory, caller: addressBlock(c.get('ip')) });
    if ((await inbound.receiveFinix(body, signature)) === 'foreign') c.set('isQuiet', true);
    return answer(c, { received: true });
  });
}

function requirePlausiblePlaid(token = ''): void {
  // A JWT: three parts in base64url. No genuine one is longer than a few hundred characters.
  if (/^[\w-]{1,1024}\.[\w-]{1,2048}\.[\w-]{1,1024}$/.test(token)) return;
  throw unverifiedWebhook('The Plaid-Verification header is missing or malformed.', true);
}

function isPlausibleFinix(signature = ''): boolean {
  return /timestamp=\d{1,12}/.test(signature);
}

/**
 * Finix's test of an address is an empty body, signed or not; everything else has a signature.
 * @returns true: it is one for certain; false: reading the body shows it
 * @throws ProblemError `unauthorized`
 */
async function isTest(c: AppContext): Promise<boolean> {
  const isChunked = c.req.header('Transfer-Encoding') !== undefined;
  if (!isChunked && (c.req.header('Content-Length') ?? '0') === '0') return false;
  // Its first byte shows whether a chunked body has one.
  if (isChunked && (await isEmptyBody(c))) return true;
  throw unverifiedWebhook('The Finix-Signature header is missing or malformed.', true);
}
