import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';

type Fetch = Parameters<typeof getRequestListener>[0];

/**
 * Longer than the idle time of common load balancers (60 s to 10 minutes), so that the balancer closes a kept
 * connection and never sends a request on one that is being closed here.
 */
const KEEP_ALIVE_MS = 620_000;
/**
 * For the whole request, body included. A phone on a bad network needs seconds for 256 kB; a body at one byte a second
 * is an attack.
 */
const REQUEST_MS = 30_000;
/** Headers come in one packet or two. */
const HEADERS_MS = 10_000;
/**
 * Each costs about 20 kB while it is idle. More than a busy instance has behind a proxy; further ones are closed at
 * once.
 */
const MAX_CONNECTIONS = 4_000;

export interface ListenerLimits {
  requestMs?: number;
  headersMs?: number;
  connections?: number;
}

/** An HTTP server over the app, with limits on time and connections. Starts nothing. */
export function createListener(
  fetch: Fetch,
  { requestMs = REQUEST_MS, headersMs = HEADERS_MS, connections = MAX_CONNECTIONS }: ListenerLimits = {},
): Server {
  const server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      requestTimeout: requestMs,
      headersTimeout: headersMs,
      // Twice a second, so that what is too slow does not stay for the default of half a minute more.
      connectionsCheckingInterval: 500,
      // Health checks of some balancers speak HTTP/1.0, which has no Host header.
      requireHostHeader: false,
    },
    getRequestListener(fetch, { hostname: 'localhost' }),
  );
  server.maxConnections = connections;
  return server;
}

/** Resolves with the port. Rejects when the address is taken. */
export async function listen(server: Server, port: number, host: string | undefined): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address ? address.port : port;
}
