import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import type { CountryCode, Products } from 'plaid';
import { createFinixClient } from '../../../server/clients/finix.ts';
import { createPlaidClient } from '../../../server/clients/plaid.ts';
import { loadConfig } from '../../../server/config.ts';
import { newId } from '../../../server/ids.ts';

/** As in the server. */
const LIMIT_TIMEOUT_MS = 3_000;

/**
 * What the server is compared with: the same requests, the same calls to Plaid and Finix through the same clients, and
 * nothing else, in the same order. No storage, no validation, no log; a crash loses the bank, a lost answer makes two.
 */
export function startPlainServer(): void {
  const config = loadConfig(process.env);
  const plaid = createPlaidClient(config.plaid);
  const finix = createFinixClient(config.finix);
  plaid.warmUp();
  const limitedProcessorToken = async (accessToken: string, account: string) => {
    const token = await plaid.createProcessorToken(accessToken, account);
    await plaid.limitProcessorToken(token, LIMIT_TIMEOUT_MS);
    return token;
  };
  const app = new Hono();
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.post('/v1/sessions', (c) => c.json({ id: newId('ses'), client_secret: 'none' }, 201));
  app.post('/v1/sessions/:id/link-token', async (c) => {
    const { linkToken } = await plaid.createLinkToken({
      client_name: config.plaid.clientName,
      language: 'en',
      country_codes: config.plaid.countryCodes as CountryCode[],
      user: { client_user_id: c.req.param('id') },
      products: ['auth', 'identity'] as Products[],
    });
    return c.json({ link_token: linkToken });
  });
  app.post('/v1/sessions/:id/complete', async (c) => {
    const { public_token } = await c.req.json<{ public_token: string }>();
    const { accessToken } = await plaid.exchangePublicToken(public_token);
    const { accounts } = await plaid.getAccounts(accessToken);
    const [identity, processorToken] = await Promise.all([
      finix.createIdentity({ entity: {}, role: 'BUYER', type: 'PERSONAL', tags: {} }),
      limitedProcessorToken(accessToken, accounts[0]?.id ?? ''),
    ]);
    const instrument = await finix.createPaymentInstrument({ identity: identity.id, processorToken, tags: {} });
    return c.json({ id: c.req.param('id'), status: 'completed', payment_instrument: instrument.id });
  });
  const server = createServer(getRequestListener(app.fetch));
  server.listen(config.port, '127.0.0.1');
  // By itself: a process that a signal ends writes no profile.
  process.once('SIGTERM', () => process.exit());
}
