import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ReturnOptions, type RunningSimulator, startSimulator } from '../../demo/simulator/index.ts';
import { finix, finixError, linkItem, plaidClient, processorToken } from './client.ts';

let running: RunningSimulator;
let delivered: { entity: string; type: string; _embedded: { transfers?: Record<string, unknown>[] } }[];

beforeEach(async () => {
  delivered = [];
  running = await startSimulator({
    laterMs: 1,
    finixWebhook: { url: 'http://127.0.0.1:1/finix', secret: 'secret' },
    deliver: async (_url, { body }) => {
      delivered.push(JSON.parse(body));
      return new Response();
    },
  });
});
afterEach(() => running.close());

async function instrument(): Promise<string> {
  const client = plaidClient(running.plaidUrl);
  const third_party_token = await processorToken(client, (await linkItem(client)).accessToken);
  const identity = (await finix(running, 'POST', '/identities', { entity: {} })).body['id'];
  const body = { type: 'BANK_ACCOUNT', third_party: 'PLAID', third_party_token, identity };
  return String((await finix(running, 'POST', '/payment_instruments', body)).body['id']);
}

async function debit(source: string, amount: number, more: object = {}) {
  return finix(running, 'POST', '/transfers', { amount, currency: 'USD', merchant: 'MU1', source, ...more });
}

async function debitId(amount = 5_000): Promise<string> {
  return String((await debit(await instrument(), amount)).body['id']);
}

const find = (id: string) => running.simulator.ledger.transfers().find((transfer) => transfer.id === id);

async function expectBecomes(id: string, state: string): Promise<void> {
  await expect.poll(() => find(id)?.['state']).toBe(state);
}

/** Transfers in webhooks, as `type state`. */
const types = () =>
  delivered
    .filter(({ entity }) => entity === 'transfer')
    .map(
      ({ type, _embedded }) => `${type} ${_embedded.transfers?.[0]?.['type']} ${_embedded.transfers?.[0]?.['state']}`,
    );

describe('a debit', () => {
  it('a debit is pending, then handed to the network, with a webhook for each', async () => {
    const { status, body } = await debit(await instrument(), 5_000);
    expect([status, body['state'], body['type']]).toEqual([201, 'PENDING', 'DEBIT']);
    await expectBecomes(String(body['id']), 'SUCCEEDED');
    expect(types()).toEqual(['created DEBIT PENDING', 'updated DEBIT SUCCEEDED']);
  });

  it.each([
    [193, 'FAILED', 'INSUFFICIENT_FUNDS'],
    [102, 'FAILED', 'GENERIC_DECLINE'],
    [103, 'CANCELED', null],
    [9_902, 'FAILED', 'BANK_ACCOUNT_CLOSED'],
    [9_929, 'FAILED', 'TRANSACTION_NOT_PERMITTED'],
  ])('a debit of %d cents ends as %s', async (amount, state, failure_code) => {
    const id = await debitId(amount);
    await expectBecomes(id, state);
    expect(find(id)?.['failure_code']).toBe(failure_code);
  });

  it('a debit is refused for an instrument that is unknown or disabled', async () => {
    expect(finixError(await debit('PInone', 5_000))).toMatchObject({ status: 422, field: 'source' });
    const source = await instrument();
    await finix(running, 'PUT', `/payment_instruments/${source}`, { enabled: false });
    expect(finixError(await debit(source, 5_000))).toMatchObject({ status: 422, field: 'source' });
    expect(running.simulator.ledger.transfers()).toEqual([]);
  });

  it('a debit is made once for one idempotency_id', async () => {
    const source = await instrument();
    expect((await debit(source, 5_000, { idempotency_id: 'order_1' })).status).toBe(201);
    expect((await debit(source, 5_000, { idempotency_id: 'order_1' })).status).toBe(422);
  });

  it('a debit is listed by state, type and amount, and can be refunded by the merchant', async () => {
    const id = await debitId();
    await expectBecomes(id, 'SUCCEEDED');
    const refund = await finix(running, 'POST', `/transfers/${id}/reversals`, { refund_amount: 100 });
    expect(refund.body).toMatchObject({ type: 'REVERSAL', subtype: 'API', amount: 100, parent_transfer: id });
    const ids = async (query: string) => {
      const embedded = (await finix(running, 'GET', `/transfers?${query}`)).body['_embedded'];
      return (embedded as { transfers: { id: string }[] }).transfers.map((transfer) => transfer.id);
    };
    expect(await ids('type=DEBITS&state=SUCCEEDED&amount.gte=5000')).toEqual([id]);
    expect(await ids('state=FAILED')).toEqual([]);
    expect(await ids('type=REVERSAL')).toEqual([refund.body['id']]);
    expect((await finix(running, 'GET', '/transfers?colour=blue')).status).toBe(422);
  });

  it('a debit goes the other way as a payout', async () => {
    const destination = await instrument();
    const payout = await debit('', 5_000, { source: undefined, destination });
    expect(payout.body).toMatchObject({ type: 'CREDIT', destination, source: null });
  });
});

describe('a return by hand', () => {
  const forms: [ReturnOptions, Record<string, unknown>][] = [
    [{}, { type: 'REVERSAL', subtype: 'SYSTEM', tags: { return_code: 'R10' } }],
    [{ form: 'failed' }, { type: 'DEBIT', state: 'FAILED', messages: ['ReasonCode: R10', expect.any(String)] }],
    [
      { form: 'failed', codeIn: 'raw' },
      { state: 'FAILED', raw: { 'Reason Code': 'R10' } },
    ],
    [{ form: 'returned' }, { type: 'DEBIT', state: 'RETURNED', bank_return_details: { return_code: 'R10' } }],
    [
      { form: 'reversal', codeIn: 'nowhere' },
      { type: 'REVERSAL', tags: {}, messages: [] },
    ],
    [{ form: 'failed', failureCode: 'PAYMENT_STOPPED' }, { failure_code: 'PAYMENT_STOPPED' }],
  ];
  it.each(forms)('a return by hand has the form %o', async (options, expected) => {
    const id = await debitId();
    await expectBecomes(id, 'SUCCEEDED');
    expect(running.simulator.ach.returnDebit(id, 'R10', options)).toMatchObject(expected);
  });

  it('a return by hand of a settled debit turns money and direction round, and keeps the debit’s state', async () => {
    const id = await debitId();
    await expectBecomes(id, 'SUCCEEDED');
    const made = running.simulator.ach.returnDebit(id, 'R02');
    expect(made).toMatchObject({ parent_transfer: id, destination: find(id)?.['source'], source: null });
    expect(find(id)).toMatchObject({ state: 'SUCCEEDED', failure_code: 'BANK_ACCOUNT_CLOSED' });
    expect(types().slice(-2)).toEqual(['updated DEBIT SUCCEEDED', 'created REVERSAL SUCCEEDED']);
  });
});

describe('what Finix does not know', () => {
  it.each([
    ['GET', '/nowhere', 404, 'NOT_FOUND'],
    ['DELETE', '/payment_instruments', 405, 'METHOD_NOT_ALLOWED'],
    ['DELETE', '/transfers/TR1', 405, 'METHOD_NOT_ALLOWED'],
  ])('%s %s is an error of Finix’s own shape', async (method, path, status, code) => {
    const answer = await finix(running, method, path);
    expect(finixError(answer)).toMatchObject({ status, code });
    expect(answer.headers.get('content-type')).toBe('application/hal+json;charset=UTF-8');
  });

  it.each(['application/hal+json', 'application/json; charset=utf-8', 'application/vnd.json+api'])(
    'takes a body of the type %s',
    async (type) => {
      const answer = await finix(running, 'POST', '/identities', { entity: {} }, { 'content-type': type });
      expect(answer.status).toBe(201);
    },
  );

  it('the simulated Finix refuses a body of another type', async () => {
    const answer = await finix(running, 'POST', '/identities', { entity: {} }, { 'content-type': 'text/plain' });
    expect(answer.status).toBe(400);
  });

  it.each(['4155550123', '+1 (408) 756-4497'])('takes the business phone %s', async (business_phone) => {
    const answer = await finix(running, 'POST', '/identities', { entity: { business_phone } });
    expect(answer.status).toBe(201);
  });
});
