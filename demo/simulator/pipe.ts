import type { HttpBindings } from '@hono/node-server';
import type { Context as HonoContext, MiddlewareHandler } from 'hono';
import { type Context, pause } from './context.ts';
import { iso } from './ids.ts';
import type { Refusal } from './refusal.ts';
import type { SimulatedCall } from './state.ts';
import type { FaultRule, ServiceName } from './types.ts';

/** In a process of its own the simulator sits on sockets; through `app.request()` there is none. */
export interface SimulatorEnv {
  Bindings: Partial<HttpBindings>;
  Variables: { json: unknown };
}

export interface Shapes {
  /** An answer in the provider's own headers and content type. */
  respond: (status: number, body: unknown) => Response;
  /** The provider's own error for a bare status, and for a fault rule's code. */
  fault: (rule: FaultRule) => Refusal;
  /** Refuses a body that is not JSON. */
  invalidJson: () => Refusal;
}

/**
 * The way of every request to a provider: read it whole, let faults strike, answer in the provider's shape, keep a
 * record.
 */
export function pipe(context: Context, service: ServiceName, shapes: Shapes): MiddlewareHandler<SimulatorEnv> {
  return async function providerPipe(c, next) {
    const started = performance.now();
    const date = new Date(context.now()).toUTCString();
    const path = c.req.path.slice(`/${service}`.length);
    // Read before anything waits: a caller that gives up must not take its request back.
    const text = await c.req.text();
    const json = parse(text);
    const call: SimulatedCall = {
      at: iso(context.now()),
      service,
      method: c.req.method,
      path,
      query: c.req.query(),
      body: withoutCredentials(json),
      status: null,
      response: null,
      handled: false,
      fault: null,
      ms: 0,
    };
    // Link's own traffic is not an API that anyone calls; its sessions report their steps themselves.
    const isApi = service !== 'link';
    if (isApi) context.record(call);

    const commit = async (): Promise<void> => {
      if (text !== '' && json === undefined) {
        c.res = shapes.respond(400, shapes.invalidJson().body);
        return;
      }
      c.set('json', json);
      call.handled = true;
      await next();
    };
    const item = context.state.itemOf(json);
    const names = (about: string) =>
      item?.item_id === about || text.includes(about) || Object.values(call.query).some((value) => value === about);
    const rule =
      context.faults.take(service, c.req.method, path, names) ?? item?.faults.take(service, c.req.method, path, names);
    if (rule) {
      call.fault = rule.kind;
      c.res = await strike(context, shapes, c, rule, commit);
    } else {
      await commit();
    }

    // As every server's: by its own clock.
    c.res.headers.set('date', date);
    if (!isApi) return;
    const answered = rule?.kind !== 'timeout' && rule?.kind !== 'reset';
    call.status = answered ? c.res.status : null;
    call.response = answered ? parse(await c.res.clone().text()) : null;
    call.ms = Math.round(performance.now() - started);
    context.answered(call);
    context.emit({ at: call.at, service, what: `${call.method} ${path}`, status: call.status, ms: call.ms });
  };
}

async function strike(
  context: Context,
  shapes: Shapes,
  c: HonoContext<SimulatorEnv>,
  rule: FaultRule,
  commit: () => Promise<void>,
): Promise<Response> {
  await pause(context, rule.delayMs ?? 0);
  if (rule.kind === 'delay') {
    await commit();
    return c.res;
  }
  if (rule.when === 'after') await commit();
  switch (rule.kind) {
    case 'timeout':
      await connectionEnds(context, c);
      return nothing();
    case 'reset':
      c.env?.incoming?.socket.resetAndDestroy();
      return nothing();
    case 'html':
      return new Response(typeof rule.body === 'string' ? rule.body : GATEWAY_PAGE, {
        status: rule.status ?? 502,
        headers: { 'content-type': 'text/html; charset=utf-8' },
      });
    case 'malformed':
      return new Response('{"request_id": "', { status: 200, headers: { 'content-type': 'application/json' } });
    default: {
      const refusal = shapes.fault(rule);
      return shapes.respond(refusal.status, rule.kind === 'status' ? (rule.body ?? refusal.body) : refusal.body);
    }
  }
}

const GATEWAY_PAGE =
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n';

/** Signals to the HTTP server that the connection has been handled. */
function nothing(): Response {
  return new Response(null, { headers: { 'x-hono-already-sent': 'true' } });
}

/** Settles when the caller hangs up or the simulator closes. */
async function connectionEnds(context: Context, c: HonoContext<SimulatorEnv>): Promise<void> {
  await new Promise<void>((resolve) => {
    const outgoing = c.env?.outgoing;
    const signals = outgoing ? [context.closing] : [context.closing, c.req.raw.signal];
    const end = (): void => {
      for (const signal of signals) signal.removeEventListener('abort', end);
      outgoing?.off('close', end);
      resolve();
    };
    for (const signal of signals) signal.addEventListener('abort', end);
    outgoing?.on('close', end);
    if (outgoing?.destroyed || signals.some(({ aborted }) => aborted)) end();
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Plaid also takes its credentials in the body; a record of calls must not hold them. */
function withoutCredentials(json: unknown): unknown {
  if (!json || typeof json !== 'object' || Array.isArray(json)) return json;
  const { client_id: _id, secret: _secret, ...rest } = json as Record<string, unknown>;
  return rest;
}
