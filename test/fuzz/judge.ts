import { wireSchemas } from '../../server/http/openapi.ts';
import { ENCRYPTION_KEY, MERCHANT_KEY } from '../helpers/server.ts';
import type { Input } from './inputs.ts';
import { FINIX_SECRET, type World } from './world.ts';

/** Something that no input may cause. */
export interface Fault {
  kind: '5xx' | 'hang' | 'secret' | 'shape' | 'exception';
  detail: string;
}

export interface Answered {
  status: number;
  headers: Headers;
  text: string;
}

/** Answers from in front of a handler: what the contract, the credential or a limit refuses. */
const IN_FRONT = new Set([
  'unauthorized',
  'origin_not_allowed',
  'merchant_key_in_browser',
  'public_sessions_off',
  'not_found',
  'method_not_allowed',
  'invalid_json',
  'invalid_request',
  'unsupported_media_type',
  'body_too_large',
  'rate_limited',
]);

/** A provider's tokens, by their form; whose they are does not matter. */
const TOKENS = /(?:access|processor|public)-sandbox-[0-9a-f-]{8,}/;
const CLIENT_SECRET = /ses_\w+_secret_[\w-]{43}/;
/** The contract shows recorded examples, whose tokens are of a simulator that is long gone. */
const HAS_EXAMPLES = new Set(['contract', 'readable contract']);
/** The only answers with a client secret. */
const GIVES_SECRET = new Set(['createSession', 'session of a link']);

export function judge(world: World, { operation }: Input, { status, headers, text }: Answered): Fault[] {
  const faults: Fault[] = [];
  if (status >= 500) faults.push({ kind: '5xx', detail: `${status}: ${text.slice(0, 300)}` });
  const whole = `${JSON.stringify([...headers])}${text}`;
  const found = HAS_EXAMPLES.has(operation) ? undefined : secretIn(world, whole, GIVES_SECRET.has(operation));
  if (found) faults.push({ kind: 'secret', detail: `${found} in the answer` });
  const type = headers.get('Content-Type') ?? '';
  if (!headers.has('X-Request-Id')) faults.push({ kind: 'shape', detail: 'no X-Request-Id' });
  if (status >= 400 && !type.startsWith('text/html')) {
    const problem = wireSchemas.Problem.safeParse(parseJson(text));
    if (!problem.success) faults.push({ kind: 'shape', detail: `${status} is no problem: ${text.slice(0, 200)}` });
    else if ((problem.data.errors?.length ?? 0) > 20) faults.push({ kind: 'shape', detail: 'more than 20 errors' });
  }
  return faults;
}

/** Of the log since the last look. */
export function judgeLog(world: World): Fault[] {
  const lines = world.server.lines.splice(0);
  return lines.flatMap((line) => {
    const found = secretIn(world, line, false);
    const faults: Fault[] = found ? [{ kind: 'secret', detail: `${found} in the log: ${line.slice(0, 300)}` }] : [];
    if (/unexpected error|unhandled/.test(line)) faults.push({ kind: 'exception', detail: line.slice(0, 1200) });
    return faults;
  });
}

export function hasReachedHandler(answered: Answered): boolean {
  if (answered.status < 400) return true;
  const code = codeOf(answered);
  return code !== undefined && !IN_FRONT.has(code);
}

/** Of a problem. */
export function codeOf({ status, text }: Answered): string | undefined {
  if (status < 400) return undefined;
  const { code } = (parseJson(text) ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

function secretIn({ server }: World, text: string, mayHaveClientSecret: boolean): string | undefined {
  const { plaid, finix } = server.config;
  const secrets = { 'Plaid secret': plaid.secret, 'Finix password': finix.password, 'merchant key': MERCHANT_KEY };
  const more = { 'encryption key': ENCRYPTION_KEY, 'webhook secret': FINIX_SECRET };
  for (const [name, value] of Object.entries({ ...secrets, ...more })) if (text.includes(value)) return name;
  if (TOKENS.test(text)) return 'a token';
  if (!mayHaveClientSecret && CLIENT_SECRET.test(text)) return 'a client secret';
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
