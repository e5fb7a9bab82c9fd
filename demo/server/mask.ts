import type { Message } from '../step.ts';

const HIDDEN = '••••••';

/** Fields whose whole value is a secret, in any form. */
const SECRET_FIELDS = /^(secret|client_id|password|account_number|bank_code|routing|third_party_token|jwt)$/;

/** Headers that a developer wants to see. All others, cookies above all, are left out. */
const SHOWN_HEADERS = [
  'authorization',
  'content-type',
  'idempotency-key',
  'origin',
  'finix-version',
  'finix-signature',
  'plaid-verification',
  'webhook-id',
  'webhook-signature',
  'retry-after',
];
const SECRET_HEADERS = /^(authorization|finix-signature|plaid-verification|webhook-signature)$/;

const TOKENS: [pattern: RegExp, shown: string][] = [
  [/\b(link|public|access|processor)-(sandbox|production)-[\w-]+/g, `$1-$2-${HIDDEN}`],
  [/_secret_[\w-]+/g, `_secret_${HIDDEN}`],
  // The address of a link is all that its holder needs.
  [/\/c\/[\w-]{20,}/g, `/c/${HIDDEN}`],
  [/\/link\/hosted\/[\w-]+/g, `/link/hosted/${HIDDEN}`],
];

/** The same value without anything that opens a door. */
export function mask(value: unknown): unknown {
  if (typeof value === 'string') return TOKENS.reduce((text, [pattern, shown]) => text.replace(pattern, shown), value);
  if (Array.isArray(value)) return value.map(mask);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(
    entries.map(([name, one]) => [name, SECRET_FIELDS.test(name) && one !== null ? HIDDEN : mask(one)]),
  );
}

type Headers = Record<string, string | string[] | undefined>;

export function maskedMessage(headers: Headers, body: unknown): Message {
  const shown = SHOWN_HEADERS.flatMap((name) => {
    const value = headers[name];
    if (value === undefined) return [];
    const scheme = /^(Bearer|Basic) /.exec(String(value))?.[0] ?? '';
    return [[name, SECRET_HEADERS.test(name) ? `${scheme}${HIDDEN}` : String(mask(String(value)))]];
  });
  return { headers: Object.fromEntries(shown), body: mask(body) };
}

/** JSON as it is, anything else by its size: the page shows calls, not files. */
export function parseBody(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return `${text.length} characters`;
  }
}
