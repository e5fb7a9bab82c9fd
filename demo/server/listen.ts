import { createServer, type RequestListener, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';

/** How many ports after a busy one are tried: more demos than this at once on one machine are a mistake. */
const PORTS_TO_TRY = 20;

export interface Listener {
  /** `http://127.0.0.1:{port}` */
  url: string;
  /** What answers; set once it is built, because building it can need the address. */
  answerWith(fetch: (request: Request, env: never) => Response | Promise<Response>): void;
  /** The same without `Request` and `Response`. */
  answerRaw(handler: RequestListener): void;
  close(): Promise<void>;
}

/** Listens on loopback only. Port 0 takes any free one; a busy one gives way to the next. */
export async function listen(port: number): Promise<Listener> {
  const server = createServer();
  const bound = await bind(server, port);
  return {
    url: `http://127.0.0.1:${bound}`,
    answerWith(fetch) {
      // A test runner's own Request and Response must stay as they are.
      server.on(
        'request',
        getRequestListener(fetch as Parameters<typeof getRequestListener>[0], { overrideGlobalObjects: false }),
      );
    },
    answerRaw(handler) {
      server.on('request', handler);
    },
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        // The live log is an answer that never ends.
        server.closeAllConnections();
      }),
  };
}

async function bind(server: Server, port: number): Promise<number> {
  for (let next = port; ; next++) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(next, '127.0.0.1', () => {
          server.removeListener('error', reject);
          resolve();
        });
      });
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      return address.port;
    } catch (error) {
      const isBusy = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!isBusy || port === 0 || next >= Math.min(port + PORTS_TO_TRY, 65_535)) throw error;
    }
  }
}
