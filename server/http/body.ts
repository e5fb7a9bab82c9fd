import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { z } from 'zod';
import { ProblemError } from '../errors.ts';
import { parse } from '../schemas.ts';
import type { AppContext, AppEnv } from './context.ts';

/** The largest legal body, a mandate of 10,000 characters with 50 metadata entries of 500, is under 64 KiB. */
const MAX_BODY_BYTES = 64 * 1024;

export function limitBody(): MiddlewareHandler<AppEnv> {
  return bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: () => {
      throw new ProblemError('body_too_large', {
        errors: [{ path: '', message: `must have at most ${MAX_BODY_BYTES} bytes` }],
      });
    },
  });
}

/**
 * The request's body, parsed. Only JSON by its content type: a form or plain text could be sent by any page without a preflight.
 * @throws ProblemError `unsupported_media_type`, `invalid_json`, `invalid_request`
 */
export async function readBody<T>(c: AppContext, schema: z.ZodType<T>): Promise<T> {
  const text = await c.req.text();
  if (!/^application\/json\s*(;|$)/i.test(c.req.header('Content-Type') ?? '')) {
    throw new ProblemError('unsupported_media_type');
  }
  return parse(schema, parseJson(text));
}

/** As readBody, but no body at all means an empty object. */
export async function readOptionalBody<T>(c: AppContext, schema: z.ZodType<T>): Promise<T> {
  const isEmpty = (await c.req.text()) === '';
  return isEmpty ? parse(schema, {}) : readBody(c, schema);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProblemError('invalid_json', { errors: [{ path: '', message: 'is not JSON' }] });
  }
}
