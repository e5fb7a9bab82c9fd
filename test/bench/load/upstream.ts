import { createServer } from 'node:http';

/**
 * Plaid and Finix as fast as they are set to be: the right shapes after a fixed time, nothing checked and nothing
 * remembered, so that the numbers are those of the server and not of the simulator, which keeps a ledger of everything.
 */
export function startUpstream(delayMs: number): void {
  let made = 0;
  const id = () => `${process.pid}x${++made}`;
  const answers: Record<string, () => unknown> = {
    'POST /plaid/link/token/create': () => ({
      link_token: `link-sandbox-${id()}`,
      expiration: new Date(Date.now() + 4 * 3600_000).toISOString(),
      request_id: id(),
    }),
    'POST /plaid/item/public_token/exchange': () => ({
      access_token: `access-sandbox-${id()}`,
      item_id: id(),
      request_id: id(),
    }),
    'POST /plaid/accounts/get': () => ({
      accounts: [
        {
          account_id: id(),
          balances: { available: 100, current: 110, iso_currency_code: 'USD', limit: null },
          mask: '0000',
          name: 'Plaid Checking',
          official_name: 'Plaid Gold Standard 0% Interest Checking',
          type: 'depository',
          subtype: 'checking',
        },
      ],
      item: { item_id: id(), institution_id: 'ins_109508', institution_name: 'First Platypus Bank' },
      request_id: id(),
    }),
    'POST /plaid/processor/token/create': () => ({ processor_token: `processor-sandbox-${id()}`, request_id: id() }),
    'POST /plaid/processor/token/permissions/set': () => ({ request_id: id() }),
    'POST /finix/identities': () => ({ id: `ID${id()}`, created_at: new Date().toISOString(), tags: {} }),
    'POST /finix/payment_instruments': () => ({
      id: `PI${id()}`,
      created_at: new Date().toISOString(),
      enabled: true,
      fingerprint: `FP${id()}`,
      bank_account_validation_check: 'NOT_ATTEMPTED',
      tags: {},
    }),
    'GET /finix/payment_instruments': () => ({ page: { limit: 100, next_cursor: null } }),
    'GET /finix/identities': () => ({ page: { limit: 100, next_cursor: null } }),
  };
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const answer = answers[`${request.method} ${request.url?.split('?')[0]}`];
      setTimeout(() => {
        response.writeHead(answer ? 200 : 404, { 'Content-Type': 'application/json' });
        response.end(JSON.stringify(answer?.() ?? {}));
      }, delayMs);
    });
  });
  // Longer than any pause between two calls: a connection that is closed just as it is used again is an error of the
  // measurement.
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.stdout.write(`listening ${typeof address === 'object' && address ? address.port : 0}\n`);
  });
}
