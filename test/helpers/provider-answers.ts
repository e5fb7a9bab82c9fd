import { createServer, type IncomingMessage } from 'node:http';
import { onTestFinished } from 'vitest';
import { createFinixClient } from '../../server/clients/finix.ts';
import { UpstreamError } from '../../server/clients/outbound.ts';
import { createPlaidClient } from '../../server/clients/plaid.ts';
import { loadConfig } from '../../server/config.ts';
import { testEnvironment } from './server.ts';

export interface Given {
  status?: number;
  headers?: Record<string, string>;
  /** An object becomes JSON. */
  body?: unknown;
}

/**
 * Clients of one upstream, for one test.
 * @param answer undefined: it never answers
 * @returns `drop` ends the upstream's connections
 */
export async function clientsOf(answer: (request: IncomingMessage) => Given | undefined) {
  const server = createServer((request, response) => {
    request.resume();
    const given = answer(request);
    if (!given) return;
    response.writeHead(given.status ?? 200, { 'Content-Type': 'application/hal+json', ...given.headers });
    response.end(typeof given.body === 'object' ? JSON.stringify(given.body) : given.body);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const config = loadConfig(testEnvironment({ PLAID_BASE_URL: url, FINIX_BASE_URL: url }));
  const drop = () => server.closeAllConnections();
  return { finix: createFinixClient(config.finix), plaid: createPlaidClient(config.plaid), drop };
}

export async function failureOf(call: Promise<unknown>): Promise<[failure: string, code: string]> {
  const error = await call.then(
    (value) => new Error(`no failure, but ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UpstreamError)) throw error;
  return [error.failure, error.code];
}
