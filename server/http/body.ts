import { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MiddlewareHandler } from 'hono';
import type { z } from 'zod';
import { ProblemError } from '../errors.ts';
import type { BodyMemory } from './body-memory.ts';
import type { AppContext, AppEnv } from './context.ts';
import { MAX_ERRORS, parse } from './field-messages.ts';

/**
 * The largest legal body: a mandate of 10,000 characters and 50 metadata entries of 540, in scripts of three bytes a
 * character, escapes included.
 */
const MAX_BODY_BYTES = 256 * 1024;

/** Of a body that is refused: an honest mistake is not longer, and more is not waited for. */
const DISCARD_BYTES = 16 * 1024 * 1024;
const DISCARD_MS = 2_000;

/**
 * Refuses a body whose declared length is too long. One without a declared length is read by its route, after the
 * credential, and only that far.
 */
export function limitBody(): MiddlewareHandler<AppEnv> {
  return async function limitBody(c, next) {
    if (Number(c.req.header('Content-Length') ?? 0) > MAX_BODY_BYTES) await refuseLong(c, MAX_BODY_BYTES);
    await next();
  };
}

/** @throws ProblemError `body_too_large`, after the caller has sent a good part of the rest */
async function refuseLong(c: AppContext, maxBytes: number, reader = c.req.raw.body?.getReader()): Promise<never> {
  if (reader) await discard(reader);
  throw new ProblemError('body_too_large', {
    errors: [{ path: '', message: `must have at most ${maxBytes} bytes` }],
    closes: true,
  });
}

interface HeldBody {
  memory: BodyMemory;
  caller: string;
}

/**
 * The body's bytes, at most so many.
 * @param held for a caller who has proved nothing: counts the bytes while they are here, and may refuse them
 * @throws ProblemError `body_too_large`, `rate_limited`, `invalid_json` after a body parser
 */
export async function readBytes(c: AppContext, maxBytes = MAX_BODY_BYTES, held?: HeldBody): Promise<Uint8Array> {
  refuseParsedBody(c);
  const length = c.req.header('Content-Length');
  const isDeclared = length !== undefined && c.req.header('Transfer-Encoding') === undefined;
  if (isDeclared && Number(length) > maxBytes) return refuseLong(c, maxBytes);
  // Node reads no more than the declared length.
  if (isDeclared && !held) return new Uint8Array(await c.req.arrayBuffer());
  const incoming = isDeclared && held ? unreadIncoming(c) : undefined;
  if (incoming && held) return readIncoming(incoming, held);
  const reader = c.req.raw.body?.getReader();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  let counted = 0;
  try {
    for (let next = await reader?.read(); next?.value; next = await reader?.read()) {
      const part = next.value;
      bytes += part.byteLength;
      if (bytes > maxBytes) return await refuseLong(c, maxBytes, reader);
      if (held && !held.memory.take(held.caller, part.byteLength)) {
        throw new ProblemError('rate_limited', { retryAfter: 1, closes: true });
      }
      counted = bytes;
      parts.push(part);
    }
  } finally {
    held?.memory.give(held.caller, counted);
  }
  // A stream of a request that was cut off before it was read ends as if its body were empty.
  if (isCutOff(c)) throw new CutOff();
  return Buffer.concat(parts);
}

/** The caller went away before its whole body was read. */
export class CutOff extends Error {
  override readonly name = 'CutOff';
  constructor() {
    super('the caller went away before the whole body had come');
  }
}

/**
 * Whether a body of undeclared length has no bytes. Reads no further than its first ones, and waits for them briefly.
 */
export async function isEmptyBody(c: AppContext): Promise<boolean> {
  refuseParsedBody(c);
  const reader = c.req.raw.body?.getReader();
  if (!reader) return true;
  const isOver = sleep(DISCARD_MS, undefined, { ref: false });
  for (;;) {
    const next = await Promise.race([reader.read(), isOver]);
    if (!next) return false;
    if (next.done) return true;
    if (next.value.byteLength > 0) return false;
  }
}

/**
 * Node's own request, as long as nothing of its body was read and its caller is there: one that has gone emits no event
 * any more. Undefined: this is another runtime, or a test.
 */
function unreadIncoming(c: AppContext): IncomingMessage | undefined {
  const { incoming } = (c.env ?? {}) as { incoming?: unknown };
  const isUnread = incoming instanceof IncomingMessage && !incoming.readableDidRead && !incoming.destroyed;
  return isUnread ? incoming : undefined;
}

/** A web stream around these bytes would cost more processor time than everything else that a webhook does. */
function readIncoming(incoming: IncomingMessage, { memory, caller }: HeldBody): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let counted = 0;
  const giveAll = () => {
    memory.give(caller, counted);
    counted = 0;
  };
  return new Promise<Uint8Array>((resolve, reject) => {
    const fail = (error: unknown) => {
      giveAll();
      reject(error);
    };
    incoming.on('data', (part: Uint8Array) => {
      if (!memory.take(caller, part.byteLength)) {
        incoming.removeAllListeners('data');
        return fail(new ProblemError('rate_limited', { retryAfter: 1, closes: true }));
      }
      counted += part.byteLength;
      parts.push(part);
    });
    // Each comes once at most; `once` would wrap it.
    incoming.on('end', () => {
      giveAll();
      const [first] = parts;
      resolve(first && parts.length === 1 ? first : Buffer.concat(parts));
    });
    incoming.on('error', fail);
    // Every request is closed at last; an error takes its stack along, which costs more than reading a body.
    incoming.on('close', () => {
      if (!incoming.readableEnded) fail(new CutOff());
    });
  });
}

/** Without it the connection is reset under a caller who still sends, and the answer is lost with it. */
async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const isOver = sleep(DISCARD_MS, undefined, { ref: false });
  for (let bytes = 0; bytes < DISCARD_BYTES; ) {
    const next = await Promise.race([reader.read(), isOver]);
    if (!next?.value) break;
    bytes += next.value.byteLength;
  }
}

/**
 * The request's body, parsed. Only JSON by its content type: a form or plain text could be sent by any page without a
 * preflight.
 * @throws ProblemError `unsupported_media_type`, `invalid_json`, `invalid_request`
 */
export async function readBody<T>(c: AppContext, schema: z.ZodType<T>): Promise<T> {
  return parseBody(c, schema, await readText(c));
}

/** As readBody, but no body at all means an empty object. */
export async function readOptionalBody<T>(c: AppContext, schema: z.ZodType<T>): Promise<T> {
  const text = await readText(c);
  return text === '' ? parse(schema, {}) : parseBody(c, schema, text);
}

function parseBody<T>(c: AppContext, schema: z.ZodType<T>, text: string): T {
  if (!/^application\/json\s*(;|$)/i.test(c.req.header('Content-Type') ?? '')) {
    throw new ProblemError('unsupported_media_type', {
      errors: [{ path: 'Content-Type', message: 'must be application/json' }],
    });
  }
  return parse(schema, parseJson(text));
}

/**
 * The request's query, parsed. A name that comes twice means one value to this server and may mean the other one to
 * what is in front of it.
 * @throws ProblemError `invalid_request`
 */
export function readQuery<T>(c: AppContext, schema: z.ZodType<T>): T {
  const twice = Object.entries(c.req.queries()).filter(([, values]) => values.length > 1);
  if (twice.length > 0) {
    const errors = twice.map(([path]) => ({ path, message: 'must be given once' }));
    throw new ProblemError('invalid_request', { errors: errors.slice(0, MAX_ERRORS) });
  }
  return parse(schema, c.req.query());
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
  const encoding = c.req.header('Content-Encoding');
  if (encoding !== undefined && !/^\s*(identity)?\s*$/i.test(encoding)) {
    const detail = 'Send the body without Content-Encoding: compressed bodies are not read.';
    const errors = [{ path: 'Content-Encoding', message: 'must not be given' }];
    throw new ProblemError('unsupported_media_type', { detail, errors, closes: true });
  }
  const bytes = await readBytes(c);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ProblemError('invalid_json', { errors: [{ path: '', message: 'is not UTF-8' }] });
  }
}

/** Whether the caller went away before the whole body had come. */
export function isCutOff(c: AppContext): boolean {
  const { incoming } = (c.env ?? {}) as { incoming?: { complete?: boolean; destroyed?: boolean } };
  if (incoming === undefined) return c.req.raw.signal.aborted;
  return incoming.complete === false && incoming.destroyed === true;
}

/** `__proto__` would be dropped without a word: a plain object does not hold it as a key. */
function refuseProto(text: string): void {
  if (!/__proto__|\\u005f/i.test(text)) return;
  JSON.parse(text, (key, value) => {
    if (key !== '__proto__') return value;
    throw new ProblemError('invalid_request', { errors: [{ path: key, message: 'can be the name of no field' }] });
  });
}

function parseJson(text: string): unknown {
  try {
    refuseProto(text);
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw new ProblemError('invalid_json', { errors: [{ path: '', message: 'is not JSON' }] });
  }
}
