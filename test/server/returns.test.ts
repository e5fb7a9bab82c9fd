import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReturnOptions } from '../../demo/simulator/index.ts';
import { debits, startWithDebits } from '../helpers/debits.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import type { TestServer } from '../helpers/server.ts';

let server: TestServer;
const { ach, expectEffect, atFinix, expectStatus, connect, connectNew, debit, read, returned, settled, webhooks } =
  debits(() => server);

describe('a return', () => {
  beforeEach(async () => {
    server = await startWithDebits();
  });
  afterEach(() => server.close());

  const forms: ReturnOptions[] = [
    { form: 'reversal', codeIn: 'tags' },
    { form: 'reversal', codeIn: 'messages' },
    { form: 'reversal', codeIn: 'raw' },
    { form: 'reversal', codeIn: 'details' },
    { form: 'failed', codeIn: 'messages' },
    { form: 'failed', codeIn: 'tags' },
    { form: 'failed', codeIn: 'raw' },
    { form: 'failed', codeIn: 'details' },
    { form: 'failed', codeIn: 'nowhere', failureCode: 'R10' },
    { form: 'returned', codeIn: 'details' },
    { form: 'returned', codeIn: 'messages' },
    { form: 'returned', codeIn: 'tags' },
  ];
  it.each(forms)('a return is read in the form %o', async (form) => {
    const { id } = await connect();
    await returned(id, 'R10', form);
    await expectEffect(id, 'blocked', 'return_R10');
  });

  it.each(['order', 'promo_code', 'coach', 'return_code'])(
    'a debit whose tag “%s” reads like a code is returned with the provider’s code',
    async (tag) => {
      const { id } = await connect();
      const transfer = await debit(id, 5_000, { tags: { [tag]: 'R12' } });
      ach().returnDebit(transfer, 'R01', { form: 'failed', codeIn: 'nowhere' });
      await settled();
      expect((await read(id)).last_return?.code).toBe('R01');
    },
  );

  const FORMS = ['failed', 'returned', 'reversal'] as const;
  const NO_CODE = { codeIn: 'nowhere', failureCode: 'GENERIC_DECLINE' } as const;

  it.each(FORMS)(
    'a return in the form “%s” without a code does not take a tag of the merchant’s for one',
    async (form) => {
      const { id } = await connect();
      const tags = {
        size: 'R10',
        table: 'R02',
        Room: 'R04',
        promo_code: 'R07',
        return_address: 'Bay R29',
        returns_desk: 'R03',
      };
      const transfer = await debit(id, 5_000, { tags });
      ach().succeed(transfer);
      ach().returnDebit(transfer, 'R98', { ...NO_CODE, form });
      await settled();
      const { status, last_return } = await read(id);
      expect([status, last_return]).toMatchObject(['active', { code: null, failure_code: 'GENERIC_DECLINE' }]);
    },
  );

  it.each(FORMS)(
    'the code of a return in the form “%s” is that of Finix’s tag, not of the merchant’s before it',
    async (form) => {
      const { id } = await connect();
      const transfer = await debit(id, 5_000, { tags: { size: 'R02' } });
      ach().succeed(transfer);
      ach().returnDebit(transfer, 'R98', { ...NO_CODE, form, tags: { ach_return_code: 'R10' } });
      await settled();
      expect((await read(id)).last_return?.code).toBe('R10');
    },
  );

  it('the code of a return is read from any tag of the Transfer that Finix makes, but for the debit’s own', async () => {
    const { id } = await connect();
    const transfer = await debit(id, 5_000, { tags: { size: 'R02', table: 'R03' } });
    ach().succeed(transfer);
    ach().returnDebit(transfer, 'R98', { ...NO_CODE, form: 'reversal', tags: { finix: 'Returned: R10' } });
    await settled();
    expect((await read(id)).last_return?.code).toBe('R10');
  });

  it('a refund of the merchant’s own is no return', async () => {
    const { id } = await connect();
    const transfer = await debit(id);
    ach().succeed(transfer);
    await atFinix('POST', `/transfers/${transfer}/reversals`, { refund_amount: 5_000 });
    await settled();
    expect(await read(id)).toMatchObject({ status: 'active', last_return: null });
  });

  it('a pending debit is no return, nor is one that has succeeded', async () => {
    const { id } = await connect();
    const transfer = await debit(id);
    await settled();
    expect(await read(id)).toMatchObject({ status: 'active', last_return: null });
    ach().succeed(transfer);
    await settled();
    expect(await read(id)).toMatchObject({ status: 'active', last_return: null });
  });

  it('a second R01 in a row: the customer is asked to connect again', async () => {
    const { id } = await connect();
    await returned(id, 'R01');
    await expectEffect(id, 'keep', '');
    await returned(id, 'R01');
    await expectEffect(id, 'repair', 'return_R01');
  });

  it('a second R01 after a paid debit: nothing changes', async () => {
    const { id } = await connect();
    await returned(id, 'R01');
    const paid = await debit(id);
    ach().succeed(paid);
    await settled();
    server.clockOffset += 7 * 24 * 3600_000;
    await returned(id, 'R01');
    await expectEffect(id, 'keep', '');
  });

  it('a second R01 after a debit whose success was handled before its creation: nothing changes', async () => {
    const { id } = await connect();
    await returned(id, 'R01');
    webhooks().hold();
    ach().succeed(await debit(id));
    await webhooks().release('reversed');
    await settled();
    server.clockOffset += 7 * 24 * 3600_000;
    await returned(id, 'R01');
    await expectEffect(id, 'keep', '');
  });

  it('a second R01 after a debit that may still come back: it is in a row', async () => {
    const { id } = await connect();
    await returned(id, 'R01');
    ach().succeed(await debit(id));
    await returned(id, 'R01');
    await expectEffect(id, 'repair', 'return_R01');
  });

  it('R01 after another return: it is no second one', async () => {
    const { id } = await connect();
    await returned(id, 'R01');
    await returned(id, 'R09');
    await returned(id, 'R01');
    await expectEffect(id, 'keep', '');
  });

  it('a return never makes a connection more usable than an earlier one left it', async () => {
    const { id } = await connect();
    const [first, second] = [await debit(id), await debit(id)];
    ach().returnDebit(first, 'R02');
    await settled();
    ach().returnDebit(second, 'R04');
    await settled();
    await expectEffect(id, 'dead', 'return_R02');
    expect((await read(id)).last_return?.code).toBe('R04');
  });

  it('a return is read two months later', async () => {
    const { id } = await connect();
    const transfer = await debit(id);
    ach().succeed(transfer);
    await settled();
    server.clockOffset += 59 * 24 * 3600_000;
    await server.jobs.tick();
    ach().returnDebit(transfer, 'R10');
    await settled();
    await expectEffect(id, 'blocked', 'return_R10');
  });

  it('a return is read before the webhooks of its own debit', async () => {
    const { id } = await connect();
    webhooks().hold();
    const transfer = await debit(id);
    ach().succeed(transfer);
    ach().returnDebit(transfer, 'R10');
    await webhooks().release('reversed');
    await settled();
    await expectEffect(id, 'blocked', 'return_R10');
    expect((await read(id)).last_return).toMatchObject({ transfer, amount: 5_000 });
  });

  it('a return after which the account is of no use removes the login at Plaid', async () => {
    const { id } = await connect();
    await returned(id, 'R02');
    await server.jobs.tick();
    expect(server.ledger.items().every(({ removed }) => removed)).toBe(true);
  });

  it('a reversal and its debit add to one return, whichever comes first', async () => {
    for (const order of ['in order', 'reversed'] as const) {
      const { id } = await connectNew();
      webhooks().hold();
      const transfer = await debit(id);
      ach().succeed(transfer);
      ach().returnDebit(transfer, 'R10');
      await webhooks().release(order === 'reversed' ? 'reversed' : undefined);
      await settled();
      const last_return = { transfer, code: 'R10', failure_code: 'GENERIC_DECLINE' };
      expect(await read(id), order).toMatchObject({ status: 'revoked', last_return });
    }
  });

  it.each([
    ['GENERIC_DECLINE', 'BANK_ACCOUNT_FROZEN'],
    ['BANK_ACCOUNT_FROZEN', 'GENERIC_DECLINE'],
  ])(
    'of two failure codes without a return code, %s before %s, the one that stops more debits counts',
    async (first, second) => {
      const { id } = await connectNew();
      const transfer = await debit(id);
      for (const code of [first, second]) {
        ach().fail(transfer, code);
        await settled();
      }
      const last_return = { transfer, code: null, failure_code: 'BANK_ACCOUNT_FROZEN' };
      expect(await read(id)).toMatchObject({ status: 'revoked', last_return });
    },
  );

  it('a return of a payout is read too', async () => {
    const session = await server.createSession({ purpose: 'payout' });
    const { body } = await server.complete(session, await server.publicToken());
    const [{ id, payment_instrument: destination }] = body.connections;
    const made = await atFinix('POST', '/transfers', { amount: 700, currency: 'USD', merchant: 'MU1', destination });
    ach().returnDebit(String(made['id']), 'R03', { form: 'failed' });
    await settled();
    await expectEffect(id, 'blocked', 'return_R03');
  });

  it('a return is in the audit, with its codes and its effect', async () => {
    const { id } = await connect();
    // One event that has both codes: a reversal and its debit come in any order, and the first of them is written.
    const transfer = await returned(id, 'R10', { form: 'failed' });
    const { body } = await server.merchant('GET', `/v1/connections/${id}/audit`);
    const entries = body.data.filter(({ action }: { action: string }) => action === 'connection.returned');
    expect(entries.at(-1)).toMatchObject({
      actor: 'finix',
      details: { transfer, code: 'R10', failure_code: 'GENERIC_DECLINE', amount: 5_000, effect: 'blocked' },
    });
  });
});

describe('RETURNS=report', () => {
  afterEach(() => server.close());

  it('RETURNS=report shows and sends a return, and changes nothing else', async () => {
    server = await startWithDebits({ env: { RETURNS: 'report' } });
    const { id } = await connect();
    await returned(id, 'R10');
    await expectEffect(id, 'keep', '');
    expect((await read(id)).last_return?.code).toBe('R10');
  });
});

describe('the merchant', () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver();
    server = await startWithDebits({
      env: { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET },
    });
  });
  afterEach(async () => {
    await server.close();
    await receiver.close();
  });

  it('the merchant gets one event of a return, with the connection as it is then', async () => {
    const { id } = await connect();
    const transfer = await returned(id, 'R10');
    await server.jobs.tick();
    await expect.poll(() => receiver.types()).toContain('connection.returned');
    const events = receiver.received.map(({ body }) => body).filter(({ type }) => type === 'connection.returned');
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      reason: 'return_R10',
      data: { id, status: 'revoked', last_return: { code: 'R10', transfer } },
    });
    expect(receiver.types()).toContain('connection.revoked');
  });

  it('the merchant gets an event of a return that changes nothing', async () => {
    const { id } = await connect();
    await returned(id, 'R01');
    await server.jobs.tick();
    await expect.poll(() => receiver.types()).toContain('connection.returned');
    expect(receiver.types().filter((type) => type !== 'connection.returned')).not.toContain('connection.needs_repair');
    expect(await expectStatus(id, 'active')).toMatchObject({ last_return: { code: 'R01' } });
  });
});
