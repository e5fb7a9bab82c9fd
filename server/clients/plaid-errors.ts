import { z } from 'zod';
import { UpstreamError } from './outbound.ts';
import { classifyPlaidCode } from './plaid-codes.ts';
import { remedyFor } from './plaid-remedies.ts';

const errorBody = z.object({
  error_type: z.string(),
  error_code: z.string(),
  error_message: z.string().nullish(),
  request_id: z.string().nullish(),
});

/** What a call sent, for removing it from Plaid's message. */
export interface Sent {
  /** The request's body: JSON, or what becomes JSON. */
  body: unknown;
  /** The credentials in its headers. */
  secrets: readonly string[];
}

/**
 * @returns undefined when the body is not Plaid's error; its status may be one of success, such as 208 for an OAuth
 * state that was used
 */
export function fromErrorBody(call: string, status: number, data: unknown, sent: Sent): UpstreamError | undefined {
  const body = errorBody.safeParse(data);
  if (!body.success) return undefined;
  const { error_type: type, error_code: code, error_message, request_id } = body.data;
  return new UpstreamError('plaid', call, classifyPlaidCode(type, code), code, {
    status,
    requestId: request_id ?? undefined,
    providerMessage: error_message ? plainMessage(error_message, sent) : undefined,
    remedy: remedyFor(call, code),
  });
}

/** Longer than any message that Plaid documents. */
const MAX_MESSAGE = 300;
/** Values of a request that are settings, not secrets, and that a message must be able to name. */
const SETTINGS = new Set([
  'products',
  'additional_consented_products',
  'country_codes',
  'language',
  'processor',
  'client_name',
  'redirect_uri',
  'webhook',
  'link_customization_name',
  'ruleset_key',
]);
/** Shorter values are words of every sentence. */
const SHORTEST = 3;

/**
 * Plaid's message without anything of the request but settings. Plaid may quote what was sent, and that holds tokens
 * and a person's data; what looks like an address or a number of a person or an account is removed also where it was
 * not sent.
 */
function plainMessage(message: string, { body, secrets }: Sent): string {
  let plain = message;
  // Of a name or an address, Plaid may quote a word.
  const values = [...leaves(parse(body)), ...secrets].flatMap((value) => [value, ...value.split(/\s+/)]);
  // The longest first: a part must not hide the whole.
  for (const value of values.sort((a, b) => b.length - a.length)) {
    if (value.length >= SHORTEST) plain = plain.replaceAll(value, '[removed]');
  }
  return plain
    .replace(/[^\s@"'<>]+@[^\s@"'<>]+\.[^\s@"'<>]+/g, '[removed]')
    .replace(/\+?\d[\d ().-]{5,}\d/g, '[removed]')
    .replace(/\p{Cc}+/gu, ' ')
    .slice(0, MAX_MESSAGE);
}

function parse(body: unknown): unknown {
  if (typeof body !== 'string') return body;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/** Every text in a request but the settings. */
function leaves(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (SETTINGS.has(key) ? [] : leaves(inner)));
}
