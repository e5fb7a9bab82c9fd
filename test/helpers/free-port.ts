import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that systems give to connections (Linux from 32768 on, others from 49152): one of those can be taken
 * by a connection of any other test before the process listens.
 */
const PORTS = { from: 20_000, to: 32_000 };

/** No two of one test are the same. */
const given = new Set<number>();

/** For a process that can't choose a port itself. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
