import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'finix-bank-connect-server';
import { SIMULATOR_CREDENTIALS, startSimulator } from 'finix-bank-connect-server/simulator';
import { afterAll, beforeAll, expect, test } from 'vitest';

const key = 'merchant-key-of-these-tests-0123456789';
let simulator;
let server;
let folder;

beforeAll(async () => {
  // The simulator keeps its state in memory: each run begins with an empty DATA_DIR.
  folder = await mkdtemp(join(tmpdir(), 'connect-'));
  simulator = await startSimulator();
  const { plaid, finix } = SIMULATOR_CREDENTIALS;
  server = createServer({
    PLAID_CLIENT_ID: plaid.clientId,
    PLAID_SECRET: plaid.secret,
    PLAID_ENV: 'sandbox',
    PLAID_CLIENT_NAME: 'Acme',
    PLAID_BASE_URL: simulator.plaidUrl,
    FINIX_USERNAME: finix.username,
    FINIX_PASSWORD: finix.password,
    FINIX_ENV: 'sandbox',
    FINIX_BASE_URL: simulator.finixUrl,
    MERCHANT_API_KEY: key,
    ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
    ALLOWED_ORIGINS: 'http://localhost:5173',
    PUBLIC_URL: 'http://localhost:3000',
    DATA_DIR: folder,
    LOG_LEVEL: 'silent',
  });
});

afterAll(async () => {
  await server.stop();
  await simulator.close();
  await rm(folder, { recursive: true });
});

async function call(method, path, body, token = key) {
  const response = await server.fetch(
    new Request(`http://localhost:3000${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: body && JSON.stringify(body),
    }),
  );
  return response.json();
}

/** What Link gives the page, without Link: as Plaid's Sandbox does it. */
async function publicToken(username) {
  const { clientId, secret } = SIMULATOR_CREDENTIALS.plaid;
  const response = await fetch(`${simulator.plaidUrl}/sandbox/public_token/create`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      client_id: clientId,
      secret,
      institution_id: 'ins_109508',
      initial_products: ['auth', 'identity'],
      options: { override_username: username },
    }),
  });
  return (await response.json()).public_token;
}

test('a customer who connects a bank can be charged', async () => {
  const session = await call('POST', '/v1/sessions', { customer_id: 'cus_1' });
  const public_token = await publicToken('user_one_account');
  const done = await call(
    'POST',
    `/v1/sessions/${session.id}/complete`,
    { public_token, accounts: [] },
    session.client_secret,
  );
  expect(done.status).toBe('completed');
  const connection = await call('GET', `/v1/connections/${done.connections[0].id}`);
  expect(connection).toMatchObject({ status: 'active', customer_id: 'cus_1' });
  expect(connection.payment_instrument).toMatch(/^PI/);
});
