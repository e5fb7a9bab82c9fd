import type { Context as HonoContext } from 'hono';
import { Hono } from 'hono';
import { z } from 'zod';
import { SCENARIOS } from '../scenarios.ts';
import type { Simulator } from '../simulator.ts';
import { FAULT_KINDS, type FaultRule } from '../types.ts';
import type { Clock } from './clock.ts';
import { EVENT_NAMES, EventRefused, eventSchema, makeHappen } from './events.ts';

export interface ControlledSimulator {
  simulator: Simulator;
  /** Undefined when the program that started the simulator brings a clock of its own. */
  clock: Clock | undefined;
  /** Addresses and credentials, for the tests of any language. */
  facts: object;
}

/** Beyond them no webhook has a time in seconds since 1970, and what ends hours later has a year of five digits. */
const EARLIEST = 0;
const LATEST = Date.UTC(9999, 0) - 1;

/** A request that can't be done, and why. */
class Refused extends Error {
  constructor(
    readonly status: 404 | 405 | 409 | 415 | 422,
    message: string,
  ) {
    super(message);
  }
}

/** Part of the ledger: the functions that list. */
const LISTS = [
  'items',
  'instruments',
  'identities',
  'transfers',
  'signalTransactions',
  'processorPermissions',
  'linkTokens',
  'publicTokens',
  'calls',
  'webhooks',
] as const satisfies readonly (keyof Simulator['ledger'])[];

const count = z.int().min(0);
const faultSchema = z.strictObject({
  service: z.enum(['plaid', 'finix', 'link']),
  path: z.string().startsWith('/', 'must begin with /, as in /payment_instruments'),
  method: z.string().optional(),
  about: z.string().optional(),
  times: z.int().min(1).optional(),
  when: z.enum(['before', 'after']).optional(),
  kind: z.enum(FAULT_KINDS),
  delayMs: count.optional(),
  status: z.int().min(400).max(599).optional(),
  error_code: z.string().optional(),
  error_type: z.string().optional(),
  error_message: z.string().optional(),
  field: z.string().optional(),
  body: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
});
const scenarioSchema = z.strictObject({ username: z.string(), client_user_id: z.string().optional() });
const clockSchema = z
  .strictObject({ now: z.iso.datetime({ offset: true }).optional(), advance_ms: z.int().optional() })
  .refine(({ now, advance_ms }) => (now === undefined) !== (advance_ms === undefined), 'takes now or advance_ms');
const localUrl = z.url({ protocol: /^https?$/ });
const settingsSchema = z.strictObject({
  laterMs: count.optional(),
  listLagMs: count.optional(),
  isWebview: z.boolean().optional(),
  linkEvents: z.boolean().optional(),
  disabledProducts: z.array(z.string()).optional(),
  webhookDelayMs: count.optional(),
  webhookCopies: z.int().min(1).optional(),
  finixWebhook: z
    .strictObject({ url: localUrl, secret: z.string().min(1) })
    .nullable()
    .optional(),
});
const webhooksSchema = z.strictObject({
  action: z.enum(['hold', 'release', 'release_reversed', 'drop', 'settle', 'rotate_key']),
});

/** Steers the simulator over HTTP, so that tests of every language can. Documented in docs/testing.md. */
export function controlApp({ simulator, clock, facts }: ControlledSimulator): Hono {
  const app = new Hono();
  const faults = new Map<string, () => void>();
  const initial = readSettings(simulator);
  const defaultUsername = simulator.settings.username;
  let lastFault = 0;

  app.use(async (c, next) => {
    // A page elsewhere must not read the ledger under a name that leads here, nor steer without a preflight.
    if (!/^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(c.req.url).hostname)) {
      throw new Refused(404, 'Call it by an address of this machine.');
    }
    const writes = c.req.method === 'POST' || c.req.method === 'PATCH';
    if (writes && !/^application\/json\b/.test(c.req.header('Content-Type') ?? '')) {
      throw new Refused(415, 'Send JSON, with Content-Type: application/json.');
    }
    await next();
  });
  app.onError((error, c) => {
    if (error instanceof Refused) return c.json({ error: error.message }, error.status);
    if (error instanceof EventRefused) return c.json({ error: error.message }, 404);
    return c.json({ error: error.message }, 500);
  });

  app.get('/', (c) =>
    c.json({
      ...facts,
      now: new Date(clock?.now() ?? Date.now()).toISOString(),
      events: EVENT_NAMES,
      ledger: LISTS,
      controls: app.routes
        .filter(({ method }) => method !== 'ALL')
        .map(({ method, path }) => `${method} /_control${path.replace(/\/$/, '')}`),
    }),
  );

  app.get('/scenarios', (c) =>
    c.json({ data: SCENARIOS.map(({ username, title, description }) => ({ username, title, description })) }),
  );
  app.post('/scenario', async (c) => {
    const { username, client_user_id } = await read(c, scenarioSchema);
    if (!SCENARIOS.some((scenario) => scenario.username === username)) {
      throw new Refused(422, `There is no scenario ${username}; GET /_control/scenarios lists them.`);
    }
    if (client_user_id === undefined) simulator.settings.username = username;
    else simulator.people.set(client_user_id, { ...simulator.people.get(client_user_id), username });
    return c.json({ username, client_user_id: client_user_id ?? null });
  });

  app.post('/faults', async (c) => {
    const rule = (await read(c, faultSchema)) as FaultRule;
    const end = attempt(() => simulator.faults.add(rule));
    const id = `fault_${++lastFault}`;
    faults.set(id, end);
    return c.json({ id }, 201);
  });
  app.delete('/faults', (c) => {
    simulator.faults.clear();
    faults.clear();
    return c.json({});
  });
  app.delete('/faults/:id', (c) => {
    const end = faults.get(c.req.param('id'));
    if (!end) throw new Refused(404, 'There is no such fault.');
    end();
    faults.delete(c.req.param('id'));
    return c.json({});
  });

  app.post('/events', async (c) => c.json(makeHappen(simulator, await read(c, eventSchema))));

  app.post('/webhooks', async (c) => {
    const { action } = await read(c, webhooksSchema);
    const { webhooks } = simulator;
    if (action === 'hold') webhooks.hold();
    else if (action === 'release') await webhooks.release();
    else if (action === 'release_reversed') await webhooks.release('reversed');
    else if (action === 'drop') webhooks.drop();
    else if (action === 'rotate_key') webhooks.rotateKey();
    else await webhooks.settled();
    return c.json({});
  });

  app.get('/ledger', (c) => c.json(Object.fromEntries(LISTS.map((name) => [name, simulator.ledger[name]()]))));
  app.get('/ledger/:list', (c) => {
    const name = LISTS.find((list) => list === c.req.param('list'));
    if (!name) throw new Refused(404, `The ledger has ${LISTS.join(', ')}.`);
    return c.json({ data: simulator.ledger[name]() });
  });

  app.get('/clock', (c) => c.json({ now: new Date(clock?.now() ?? Date.now()).toISOString() }));
  app.post('/clock', async (c) => {
    const { now, advance_ms } = await read(c, clockSchema);
    if (!clock) throw new Refused(409, 'The program that started the simulator has a clock of its own.');
    const time = now === undefined ? clock.now() + (advance_ms ?? 0) : Date.parse(now);
    if (time < EARLIEST || time > LATEST) throw new Refused(422, 'The clock goes from 1970 to the end of 9998.');
    clock.set(time);
    return c.json({ now: new Date(clock.now()).toISOString() });
  });

  app.get('/settings', (c) => c.json(readSettings(simulator)));
  app.patch('/settings', async (c) => {
    writeSettings(simulator, await read(c, settingsSchema));
    return c.json(readSettings(simulator));
  });

  app.post('/reset', async (c) => {
    await read(c, z.strictObject({}));
    simulator.webhooks.drop();
    simulator.ledger.reset();
    simulator.faults.clear();
    faults.clear();
    simulator.people.clear();
    clock?.reset();
    writeSettings(simulator, initial);
    simulator.settings.username = defaultUsername;
    return c.json({});
  });

  // A mounted app has no answer of its own for what is not found, so these are routes, behind all others.
  const known = new Map<string, string[]>();
  for (const { method, path } of app.routes) {
    if (method !== 'ALL') known.set(path, [...(known.get(path) ?? []), method]);
  }
  for (const [path, methods] of known) {
    app.all(path, () => {
      throw new Refused(405, `It takes ${methods.join(' and ')}.`);
    });
  }
  app.all('*', () => {
    throw new Refused(404, 'There is no such control; GET /_control lists them.');
  });
  return app;
}

type ControlSettings = z.infer<typeof settingsSchema>;

function readSettings({ settings, webhooks }: Simulator): Required<ControlSettings> {
  const { laterMs, listLagMs, isWebview, linkEvents, disabledProducts } = settings;
  const { delayMs, copies, finix } = webhooks.settings;
  return {
    ...{ laterMs, listLagMs, isWebview, linkEvents, disabledProducts: [...disabledProducts] },
    ...{ webhookDelayMs: delayMs, webhookCopies: copies, finixWebhook: finix },
  };
}

function writeSettings({ settings, webhooks }: Simulator, change: ControlSettings): void {
  const { webhookDelayMs, webhookCopies, finixWebhook, ...own } = change;
  Object.assign(settings, own);
  if (webhookDelayMs !== undefined) webhooks.settings.delayMs = webhookDelayMs;
  if (webhookCopies !== undefined) webhooks.settings.copies = webhookCopies;
  if (finixWebhook !== undefined) webhooks.settings.finix = finixWebhook;
}

async function read<T>(c: HonoContext, schema: z.ZodType<T>): Promise<T> {
  const json: unknown = await c.req.json().catch(() => {
    throw new Refused(422, 'The body is not JSON.');
  });
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw new Refused(422, problems.join('; '));
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Refused(422, (error as Error).message);
  }
}
