import { afterEach, beforeEach, expect, test } from 'vitest';
import { lineOf } from '../../demo/panel/words.ts';
import { type RunningSimulator, SIMULATOR_CREDENTIALS, startSimulator } from '../../demo/simulator/index.ts';
import { type RunningDemo, startDemo } from '../../demo/start-demo.ts';
import type { Step } from '../../demo/step.ts';
import { eventually } from '../helpers/server.ts';

/**
 * With credentials the demo sees its server's own calls only through the server. Here the sandboxes are another
 * simulator.
 */
let sandboxes: RunningSimulator;
let demo: RunningDemo;

beforeEach(async () => {
  sandboxes = await startSimulator();
  const { plaid, finix } = SIMULATOR_CREDENTIALS;
  demo = await startDemo({
    env: {
      PLAID_CLIENT_ID: plaid.clientId,
      PLAID_SECRET: plaid.secret,
      PLAID_BASE_URL: sandboxes.plaidUrl,
      FINIX_USERNAME: finix.username,
      FINIX_PASSWORD: finix.password,
      FINIX_BASE_URL: sandboxes.finixUrl,
      LOG_LEVEL: 'fatal',
    },
  });
});
afterEach(async () => {
  await demo?.close();
  await sandboxes?.close();
});

/** As Link would give it. */
async function publicToken(): Promise<string> {
  const { clientId, secret } = SIMULATOR_CREDENTIALS.plaid;
  const body = {
    client_id: clientId,
    secret,
    institution_id: 'ins_109508',
    initial_products: ['auth', 'identity'],
    options: { override_username: 'user_one_account' },
  };
  const headers = { 'Content-Type': 'application/json', 'Plaid-Version': '2020-09-14' };
  const response = await fetch(`${sandboxes.plaidUrl}/sandbox/public_token/create`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  return ((await response.json()) as { public_token: string }).public_token;
}

test('With credentials the panel has the server’s own calls to Plaid and Finix, with their answers, and no secret', async () => {
  const page = await fetch(`${demo.url}/coffee`);
  const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? '';
  const leaving = new AbortController();
  const stream = await fetch(`${demo.url}/api/story`, { headers: { cookie }, signal: leaving.signal });
  let streamed = '';
  const reading = (async () => {
    for await (const chunk of stream.body ?? []) streamed += new TextDecoder().decode(chunk);
  })().catch(() => {});
  try {
    const json = { 'Content-Type': 'application/json' };
    const made = await fetch(`${demo.url}/api/session`, { method: 'POST', headers: { ...json, cookie }, body: '{}' });
    const { client_secret: secret } = (await made.json()) as { client_secret: string };
    const call = (path: string, body: object) =>
      fetch(`${demo.connectUrl}/v1/sessions/${secret.split('_secret_')[0]}/${path}`, {
        method: 'POST',
        headers: { ...json, Authorization: `Bearer ${secret}` },
        body: JSON.stringify(body),
      });
    expect((await call('link-token', {})).status).toBe(200);
    const completed = await call('complete', { public_token: await publicToken(), accounts: [] });
    expect(await completed.json()).toMatchObject({ connections: [{ status: 'active' }] });

    const steps = () => {
      const found = new Map<number, Step>();
      for (const [, data = ''] of streamed.matchAll(/^event: step\ndata: (.*)$/gm)) {
        const step = JSON.parse(data) as Step;
        found.set(step.id, step);
      }
      return [...found.values()];
    };
    const answered = (to: string, what: string) =>
      steps().find((step) => step.to === to && step.what === what && step.status !== undefined);
    const exchange = await eventually(async () => answered('plaid', 'POST /item/public_token/exchange'));
    const instrument = await eventually(async () => answered('finix', 'POST /payment_instruments'));
    expect(exchange).toMatchObject({ from: 'connect', status: 200 });
    expect(exchange?.request?.body).toEqual({ public_token: 'public-sandbox-••••••' });
    expect(exchange?.response?.body).toMatchObject({ access_token: 'access-sandbox-••••••' });
    expect(instrument).toMatchObject({ from: 'connect', status: 201 });
    expect(instrument?.request?.body).toMatchObject({ third_party: 'PLAID', third_party_token: '••••••' });
    const { ledger } = sandboxes.simulator;
    expect(instrument?.response?.body).toMatchObject({ id: ledger.instruments()[0]?.id });
    expect(lineOf(instrument as Step, { customer: 'Maya', merchant: 'Kestrel & Oak' })).toMatchObject({
      who: 'Connect server',
      text: expect.stringContaining('gets the payment instrument'),
    });
    const secrets = [
      ...ledger.items().map(({ access_token }) => access_token),
      ...ledger.publicTokens().map(({ public_token }) => public_token),
      ...ledger.linkTokens().map(({ link_token }) => link_token),
      ...ledger.processorTokens(),
      SIMULATOR_CREDENTIALS.plaid.secret,
      SIMULATOR_CREDENTIALS.finix.password,
    ];
    expect(secrets.length).toBeGreaterThan(5);
    for (const one of secrets) expect(streamed).not.toContain(one);
  } finally {
    leaving.abort();
    await reading;
  }
});

test('A call that Plaid refuses is shown with its answer', async () => {
  sandboxes.simulator.faults.add({
    service: 'plaid',
    path: '/link/token/create',
    method: 'POST',
    kind: 'plaid_error',
    error_code: 'INVALID_FIELD',
    times: 9,
  });
  const page = await fetch(`${demo.url}/coffee`);
  const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? '';
  const json = { 'Content-Type': 'application/json' };
  const made = await fetch(`${demo.url}/api/session`, { method: 'POST', headers: { ...json, cookie }, body: '{}' });
  const { client_secret: secret } = (await made.json()) as { client_secret: string };
  await fetch(`${demo.connectUrl}/v1/sessions/${secret.split('_secret_')[0]}/link-token`, {
    method: 'POST',
    headers: { ...json, Authorization: `Bearer ${secret}` },
    body: '{}',
  });
  const leaving = new AbortController();
  const stream = await fetch(`${demo.url}/api/story`, { headers: { cookie }, signal: leaving.signal });
  let streamed = '';
  for await (const chunk of stream.body ?? []) {
    streamed += new TextDecoder().decode(chunk);
    if (streamed.includes('INVALID_FIELD')) break;
  }
  leaving.abort();
  expect(streamed).toContain('"status":400');
});
