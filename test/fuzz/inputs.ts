import { openApiDocument } from '../../server/http/openapi/document.ts';
import { operations } from '../../server/http/openapi/operations.ts';
import type { Random } from '../faults/random.ts';
import { MERCHANT_KEY, SHOP } from '../helpers/server.ts';
import { createGrammar, type Grammar, type Schema } from './grammar.ts';
import { finixBody, plaidBody } from './webhook-bodies.ts';
import { FINIX_SECRET, type World } from './world.ts';

/** One request, made from the published contract. */
export interface Input {
  operation: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | Uint8Array | undefined;
}

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  schema: Schema;
}

interface Documented {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}

const document = openApiDocument('http://localhost:3000', '0.0.0-fuzz') as {
  paths: Record<string, Record<string, Documented>>;
  components: { schemas: Record<string, Schema> };
};

/** Of the app, but not of the contract. */
const PAGES = [
  ['page of a link', 'get', '/c/{token}'],
  ['session of a link', 'post', '/c/{token}/session'],
  ['hosted page of a link', 'post', '/c/{token}/hosted'],
  ['end of a link', 'get', '/c/done'],
  ['contract', 'get', '/openapi.json'],
  ['readable contract', 'get', '/docs'],
  ['nothing', 'get', '/{odd}'],
] as const;

export const OPERATIONS: readonly string[] = [...operations.map(({ id }) => id), ...PAGES.map(([name]) => name)];

/** Shares: most inputs are right but for one thing, because a wrong credential hides everything behind it. */
const RIGHT_CREDENTIAL = 0.93;
const KNOWN_ID = 0.9;
const MUTATED_BODY = 0.3;
const BROKEN_TEXT = 0.04;
const ODD_HEADER = 0.1;
/** A real public token costs a dozen calls to the simulator. */
const REAL_PUBLIC_TOKEN = 0.15;
/** What makes, changes or ends rows more often than what reads them; the rest counts once. */
const WEIGHTS: Readonly<Record<string, number>> = {
  createSession: 3,
  completeSession: 3,
  receivePlaidWebhook: 4,
  receiveFinixWebhook: 4,
  createCheck: 2,
  // Each renders the whole contract.
  contract: 0.1,
  'readable contract': 0.1,
  getMetrics: 0.3,
  // Otherwise all rows are gone soon.
  eraseCustomer: 0.2,
  removeConnection: 0.3,
};

export function pickOperation(random: Random, only: string | undefined): string {
  const chosen = OPERATIONS.filter((name) => only === undefined || name.includes(only));
  let at = random.next() * chosen.reduce((sum, name) => sum + (WEIGHTS[name] ?? 1), 0);
  for (const name of chosen) {
    at -= WEIGHTS[name] ?? 1;
    if (at < 0) return name;
  }
  throw new Error(`There is no operation "${only}". There are: ${OPERATIONS.join(', ')}`);
}

export async function createInput(operation: string, random: Random, world: World): Promise<Input> {
  const grammar = createGrammar(random, document.components.schemas);
  const context = { random, grammar, world, chance: (share: number) => random.next() < share };
  const known = operations.find(({ id }) => id === operation);
  const page = PAGES.find(([name]) => name === operation);
  const method = known?.method ?? page?.[1] ?? 'get';
  const template = known?.path ?? page?.[2] ?? '/';
  const session = world.sessions.length > 0 ? random.pick(world.sessions) : undefined;
  const path = fillPath(template, context, session?.id);
  const documented = document.paths[template]?.[method];
  const query = fillQuery(documented?.parameters ?? [], context);
  // Published without a credential, for METRICS_PORT; on the main port it asks for the key.
  const who = operation === 'getMetrics' ? 'merchant' : (known?.who ?? 'anyone');
  const headers = headersFor(who, context, session?.client_secret);
  const body = await bodyFor(operation, documented, context, headers);
  return { operation, method: method.toUpperCase(), path: `${path}${query}`, headers, body };
}

interface Context {
  random: Random;
  grammar: Grammar;
  world: World;
  chance(share: number): boolean;
}

function fillPath(
  template: string,
  { random, grammar, world, chance }: Context,
  sessionId: string | undefined,
): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const pool =
      name === 'odd'
        ? []
        : name === 'customer_id'
          ? world.customers
          : name === 'token'
            ? world.links.map(({ token }) => token)
            : template.startsWith('/v1/sessions')
              ? [sessionId ?? '']
              : template.startsWith('/v1/links')
                ? world.links.map(({ id }) => id)
                : template.startsWith('/v1/connections')
                  ? world.connections
                  : world.deliveries;
    const isKnown = pool.length > 0 && chance(KNOWN_ID);
    if (isKnown) return encodeURIComponent(random.pick(pool).toWellFormed());
    const odd = grammar.oddText().toWellFormed().slice(0, 2000);
    // As a client library writes it, or as a developer does by hand.
    return chance(0.5) ? encodeURIComponent(odd) || 'x' : odd.replace(/[\0-\x20#?]/g, '') || 'x';
  });
}

function fillQuery(parameters: Parameter[], { random, grammar, world, chance }: Context): string {
  const query = new URLSearchParams();
  for (const { name, schema } of parameters.filter((one) => one.in === 'query')) {
    if (!chance(0.3)) continue;
    if (chance(0.1)) query.append(name, grammar.oddText().toWellFormed().slice(0, 2000));
    else if (name === 'customer_id') query.append(name, random.pick(world.customers).toWellFormed());
    else query.append(name, String(grammar.valid(schema, name)));
  }
  if (chance(0.02)) query.append(grammar.oddText().toWellFormed().slice(0, 100), 'x');
  return query.size > 0 ? `?${query}` : '';
}

function headersFor(
  who: string,
  { random, grammar, chance }: Context,
  secret: string | undefined,
): Record<string, string> {
  const headers: Record<string, string> = {};
  const asPage = who === 'page' || (who.includes('page') && chance(0.5)) || (who === 'merchant' && chance(0.02));
  if (who !== 'anyone') {
    const right = asPage ? secret : MERCHANT_KEY;
    const wrong = random.pick(['', 'Bearer', 'Bearer x', 'Basic eDp5', `Bearer ${secret}x`, `bearer  ${MERCHANT_KEY}`]);
    headers['Authorization'] = chance(RIGHT_CREDENTIAL) ? `Bearer ${right}` : wrong;
    if (asPage || chance(0.03)) headers['Origin'] = chance(0.97) ? SHOP : 'https://evil.example';
  } else if (chance(0.5)) headers['Origin'] = SHOP;
  if (chance(0.1)) headers['Idempotency-Key'] = `key-${random.between(1, 20)}`;
  if (chance(0.3)) headers['Accept'] = random.pick(['application/json', 'text/html', '*/*', 'image/svg+xml']);
  if (chance(ODD_HEADER)) {
    const name = random.pick([
      'X-Request-Id',
      'X-Forwarded-For',
      'Accept-Language',
      'Sec-Fetch-Site',
      'User-Agent',
      'If-None-Match',
      'Idempotency-Key',
    ]);
    headers[name] = grammar
      .oddText()
      .replace(/[^\x20-\x7e]/g, '')
      .slice(0, 4000)
      .trim();
  }
  return headers;
}

async function bodyFor(
  operation: string,
  documented: Documented | undefined,
  context: Context,
  headers: Record<string, string>,
): Promise<Input['body']> {
  const { random, grammar, world, chance } = context;
  if (operation === 'hosted page of a link') {
    headers['Content-Type'] = 'application/x-www-form-urlencoded';
    return new URLSearchParams({
      accepted: random.pick(['yes', 'no', '']),
      lang: grammar.oddText().toWellFormed(),
    }).toString();
  }
  const { schema } = documented?.requestBody?.content['application/json'] ?? {};
  if (!schema) return undefined;
  headers['Content-Type'] = chance(0.98)
    ? 'application/json'
    : random.pick(['text/plain', '', 'application/json;charset=latin1']);
  const isPlaid = operation === 'receivePlaidWebhook';
  const isFinix = operation === 'receiveFinixWebhook';
  const right = isPlaid
    ? plaidBody(random, grammar, world)
    : isFinix
      ? finixBody(random, grammar, world)
      : aboutKnown(grammar.valid(schema), operation, context);
  if (operation === 'createSession' && !('customer_id' in (right as object))) {
    // As a page in public mode.
    delete headers['Authorization'];
    headers['Origin'] = SHOP;
  }
  const value = chance(MUTATED_BODY) ? grammar.mutated(right) : right;
  let text: Input['body'] = JSON.stringify(value) ?? '';
  if (chance(BROKEN_TEXT)) text = broken(text, random);
  // Signed as the provider does, with any content: behind the signature is where the parsers are.
  const { webhooks } = world.server.upstream.simulator;
  if (isPlaid) headers['Plaid-Verification'] = webhooks.signPlaid(text as string);
  if (isFinix) headers['Finix-Signature'] = webhooks.signFinix(text as string, FINIX_SECRET);
  return text;
}

/** Ids of rows that are there, in place of ids that fit the pattern. */
function aboutKnown(value: unknown, operation: string, { random, world, chance }: Context): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const body = value as Record<string, unknown>;
  if ('customer_id' in body && chance(0.5)) body['customer_id'] = random.pick(world.customers);
  if ('connection' in body) {
    if (world.connections.length > 0 && chance(0.2)) body['connection'] = random.pick(world.connections);
    else delete body['connection'];
  }
  if (body['purpose'] === 'settlement' && chance(0.9)) body['purpose'] = 'debit';
  if ('finix_identity' in body && chance(0.9)) delete body['finix_identity'];
  if (operation === 'createLinkToken' && chance(0.8)) keepTogether(body);
  if (operation === 'completeSession' && chance(REAL_PUBLIC_TOKEN))
    body['public_token'] = world.publicTokens.pop() ?? 'x';
  return body;
}

/** Members that go with some values of others only, which a schema does not express. */
function keepTogether(body: Record<string, unknown>): void {
  if (body['mode'] !== 'hosted') delete body['return_url'];
  delete body['platform'];
  delete body['redirect_uri'];
  delete body['android_package_name'];
}

function broken(text: string, random: Random): string {
  const at = random.between(0, text.length);
  return random.pick([
    () => text.slice(0, at),
    () => `${text.slice(0, at)}\ud800${text.slice(at)}`,
    () => `${text}${text}`,
    () => `\ufeff${text}`,
    () => text.replace('{', '{"a":1,"a":2,'),
    () => `${'['.repeat(random.between(1, 20_000))}`,
    () => text.padEnd(random.between(1, 300_000), ' '),
  ])();
}
