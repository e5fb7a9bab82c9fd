import { createServer, type RequestListener, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';

/** How many ports after a busy one are tried: more demos than this at once on one machine are a mistake. */
const PORTS_TO_TRY = 20;
const LOOPBACK = '127.0.0.1';
/** Longer than any client keeps a connection, so that none sends a request on one that is being closed here. */
const KEEP_ALIVE_MS = 620_000;

export interface Listener {
  /** For browsers: at the network's address where there is one, on loopback otherwise. */
  url: string;
  /** `http://127.0.0.1:{port}`, for the other parts of the demo. */
  localUrl: string;
  /** What answers; set once it is built, because building it can need the address. */
  answerWith(fetch: (request: Request, env: never) => Response | Promise<Response>): void;
  /** The same without `Request` and `Response`. */
  answerRaw(handler: RequestListener): void;
  close(): Promise<void>;
}

/**
 * Listens on loopback, and on an address of the network only when it is given one. Port 0 takes any free one; a busy
 * one gives way to the next.
 * @param host of this machine, in a network
 */
export async function listen(port: number, host?: string): Promise<Listener> {
  const addresses = host === undefined ? [LOOPBACK] : [LOOPBACK, host];
  const { servers, bound } = await bindAll(addresses, port);
  const answerRaw = (handler: RequestListener) => {
    for (const server of servers) {
      server.on('request', (request, response) => {
        if (isOwnName(request.headers.host, host)) return handler(request, response);
        response.writeHead(421, { 'Content-Type': 'text/plain; charset=utf-8' });
        response.end(`The demo answers to its own address only: http://${host ?? LOOPBACK}:${bound}\n`);
      });
    }
  };
  return {
    url: `http://${host ?? LOOPBACK}:${bound}`,
    localUrl: `http://${LOOPBACK}:${bound}`,
    answerRaw,
    answerWith: (fetch) =>
      // A test runner's own Request and Response must stay as they are.
      answerRaw(
        getRequestListener(fetch as Parameters<typeof getRequestListener>[0], { overrideGlobalObjects: false }),
      ),
    close: async () => {
      await Promise.all(servers.map(close));
    },
  };
}

/**
 * Takes a visitor who typed another name of this machine to the one that the demo's servers know its pages by.
 * @param fetch answers everything else
 */
export function atLoopback(fetch: (request: Request) => Response | Promise<Response>): typeof fetch {
  return (request) => {
    const url = new URL(request.url);
    // What is not a page is asked for by a program, or by a page that came here by its right name.
    const isPage = request.method === 'GET' && request.headers.get('accept')?.includes('text/html');
    if (!isPage || url.hostname === LOOPBACK || !LOCAL_NAME.test(url.hostname)) return fetch(request);
    // The visitor's port, which one that is forwarded to this machine keeps.
    url.hostname = LOOPBACK;
    return Response.redirect(url, 307);
  };
}

/** Every name of this machine for itself. */
const LOCAL_NAME = /^(localhost|[\w-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/i;

/** A page of another site could give its own name this address, and then read what the demo answers. */
function isOwnName(given: string | undefined, host: string | undefined): boolean {
  const name = given?.replace(/:\d+$/, '');
  return name !== undefined && (LOCAL_NAME.test(name) || name === host);
}

/** The same port at every address. */
async function bindAll(addresses: string[], port: number): Promise<{ servers: Server[]; bound: number }> {
  for (let attempt = 0; ; attempt++) {
    const wanted = port === 0 ? 0 : port + attempt;
    const servers: Server[] = [];
    try {
      let bound = wanted;
      for (const address of addresses) {
        const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
        bound = await bind(server, address, bound);
        servers.push(server);
      }
      return { servers, bound };
    } catch (error) {
      await Promise.all(servers.map(close));
      const isBusy = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!isBusy || attempt === PORTS_TO_TRY || wanted === 65_535) throw error;
    }
  }
}

async function bind(server: Server, address: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return bound.port;
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    // The live log is an answer that never ends.
    server.closeAllConnections();
  });
}
