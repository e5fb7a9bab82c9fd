import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { z } from 'zod';
import { ProblemError } from '../errors.ts';
import type { AppContext, AppEnv } from './context.ts';
import { parse } from './request-schemas.ts';

/**
 * The largest legal body: a mandate of 10,000 characters and 50 metadata entries of 540, in scripts of three bytes a
 * character, escapes included.
 */
const MAX_BODY_BYTES = 256 * 1024;

export function limitBody(): MiddlewareHandler<AppEnv> {
  return bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: () => {
      throw new ProblemError('body_too_large', {
        errors: [{ path: '', message: `must have at most ${MAX_BODY_BYTES} bytes` }],
        closes: true,
      });
    },
  });
}

/**
 * The request's body, parsed. Only JSON by its content type: a form or plain text could be sent by any page without a
 * preflight.
 * @throws ProblemError `unsupported_media_type`, `invalid_json`, `invalid_request`
 */
export async function readBody<T>(c: AppContext, schema: z.ZodType<T>): Promise<T> {
  const text = await readText(c);
  if (!/^application\/json\s*(;|$)/i.test(c.req.header('Content-Type') ?? '')) {
    throw new ProblemError('unsupported_media_type');
  }
  return parse(schema, parseJson(text));
}

/** As readBody, but no body at all means an empty object. */
export async function readOptionalBody<T>(c: AppContext, schema: z.ZodType<T>): Promise<T> {
  const isEmpty = (await readText(c)) === '';
  return isEmpty ? parse(schema, {}) : readBody(c, schema);
}

/**
 * A framework's parser that ran first has taken the bytes away, which would look like an empty body.
 * @throws ProblemError `invalid_json` that names the cause
 */
export function refuseParsedBody(c: AppContext): void {
  const { incoming } = (c.env ?? {}) as { incoming?: { body?: unknown; readableEnded?: boolean } };
  if (incoming?.body === undefined || !incoming.readableEnded) return;
  const detail = 'A body parser, such as express.json(), has read the body: mount this server before the parser.';
  throw new ProblemError('invalid_json', { detail, errors: [{ path: '', message: 'was read by a body parser' }] });
}

/** JSON is UTF-8 (RFC 8259); replacing what is not would make different ids the same. */
async function readText(c: AppContext): Promise<string> {
  refuseParsedBody(c);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await c.req.arrayBuffer());
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ProblemError('invalid_json', { errors: [{ path: '', message: 'is not UTF-8' }] });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProblemError('invalid_json', { errors: [{ path: '', message: 'is not JSON' }] });
  }
}
