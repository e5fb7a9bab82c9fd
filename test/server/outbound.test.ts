import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { createFinixClient } from '../../server/clients/finix.ts';
import { createOutbound, UpstreamError } from '../../server/clients/outbound.ts';
import { createPlaidClient } from '../../server/clients/plaid.ts';
import { loadConfig } from '../../server/config.ts';
import { patient } from '../helpers/patience.mjs';
import { testEnvironment } from '../helpers/server.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** An upstream that answers with the given listener, and counts the connections that are made to it. */
async function upstream(answer: RequestListener, timeoutMs = 5_000) {
  let connections = 0;
  const server = createServer(answer);
  servers.push(server);
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const config = loadConfig(testEnvironment({ PLAID_BASE_URL: url, FINIX_BASE_URL: url }));
  return {
    finix: createFinixClient(config.finix, { timeoutMs }),
    plaid: createPlaidClient(config.plaid, { timeoutMs }),
    connections: () => connections,
  };
}

const json: (body: object) => RequestListener = (body) => (request, response) => {
  request.resume();
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(body));
};

const failureOf = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof UpstreamError ? [error.failure, error.code] : error;
};

describe('calls to an upstream', () => {
  it.each([
    ['https://secure.plaid.com/hl/1', true],
    ['http://127.0.0.1:4010/link/hosted/1', true],
    ['http://bank.localhost/1', true],
    ['http://secure.plaid.com/hl/1', false],
    ['javascript:alert(1)', false],
    ['data:text/html,1', false],
    ['//secure.plaid.com/hl/1', false],
    ['https//secure.plaid.com', false],
  ])(
    'an address for the customer is taken from an upstream only where it is safe to open: %s',
    async (hosted_link_url, isTaken) => {
      const { plaid } = await upstream(
        json({ link_token: 'link-sandbox-1', expiration: '2030-01-01T00:00:00Z', request_id: 'r', hosted_link_url }),
      );
      const token = plaid.createLinkToken({} as never);
      if (isTaken) expect(await token).toMatchObject({ hostedLinkUrl: hosted_link_url });
      else expect(await failureOf(token)).toEqual(['lost', 'UNREADABLE_ANSWER']);
    },
  );

  it('calls to an upstream are never more at once than the cap; the rest are queued and all are made', async () => {
    const outbound = createOutbound({ service: 'plaid', maxInFlight: 4 });
    let running = 0;
    let most = 0;
    const calls = Array.from({ length: 50 }, () =>
      outbound.run('test', async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      }),
    );
    expect(await Promise.all(calls)).toHaveLength(50);
    expect(most).toBe(4);
  });

  it('calls to an upstream are refused as busy at once when the queue is full', async () => {
    const outbound = createOutbound({ service: 'finix', maxInFlight: 1, maxWaiting: 1 });
    let release = () => {};
    const hanging = () => new Promise<void>((resolve) => (release = resolve));
    const first = outbound.run('test', hanging);
    const second = outbound.run('test', async () => {});
    await new Promise((resolve) => setImmediate(resolve));
    expect(await failureOf(outbound.run('test', async () => {}))).toEqual(['busy', 'TOO_MANY_IN_FLIGHT']);
    release();
    await Promise.all([first, second]);
  });

  it('calls to an upstream are not sent any more after being queued for too long', async () => {
    const outbound = createOutbound({ service: 'finix', maxInFlight: 1, maxLineMs: 30 });
    let sent = 0;
    let release = () => {};
    const slow = outbound.run('test', () => new Promise<void>((resolve) => (release = resolve)));
    const late = failureOf(
      outbound.run('test', async () => {
        sent += 1;
      }),
    );
    // Begins after the call was queued, so that it has always waited for longer than it may.
    setTimeout(() => release(), 60);
    expect(await late).toEqual(['busy', 'TOO_LONG_IN_LINE']);
    await slow;
    expect(sent).toBe(0);
  });

  it('calls to an upstream share kept connections when they come one after the other', async () => {
    const { finix, connections } = await upstream(json({ page: {} }));
    for (let i = 0; i < 10; i++) await finix.listIdentities(0);
    expect(connections()).toBe(1);
    const plaid = await upstream(json({ processor_token: 'processor-sandbox-1', request_id: 'r' }));
    for (let i = 0; i < 10; i++) await plaid.plaid.createProcessorToken('access-sandbox-1', 'account');
    expect(plaid.connections()).toBe(1);
  });

  it.each<[string, RequestListener]>([
    ['is silent', (request) => void request.resume()],
    [
      'begins to answer and never ends',
      (request, response) => {
        request.resume();
        response.writeHead(200, { 'Content-Type': 'application/json' });
        const drip = setInterval(() => response.write(' '), 20);
        response.once('close', () => clearInterval(drip));
      },
    ],
  ])('calls to an upstream end at the deadline when the upstream %s', async (_name, answer) => {
    const { finix, plaid } = await upstream(answer, 150);
    const began = performance.now();
    expect(await failureOf(finix.listIdentities(0))).toEqual(['lost', 'TIMEOUT']);
    expect(await failureOf(plaid.exchangePublicToken('public-sandbox-1'))).toEqual(['lost', 'TIMEOUT']);
    // The SDK's import is in it, which takes a second on a busy machine.
    expect(performance.now() - began).toBeLessThan(patient(8_000));
  });
});
