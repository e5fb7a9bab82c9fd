import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReturnOptions } from '../../demo/simulator/index.ts';
import { FAILURE_RULES, RETURN_RULES } from '../../server/lifecycle/return-codes.ts';
import type { ReturnEffect } from '../../server/storage/tables.ts';
import { debits, startWithDebits } from '../helpers/debits.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import type { TestServer } from '../helpers/server.ts';

let server: TestServer;
const { ach, atFinix, expectStatus, connect, connectNew, debit, enabled, read, returned, settled, webhooks } = debits(
  () => server,
);

const STATUS = { keep: 'active', repair: 'needs_repair', blocked: 'revoked', dead: 'failed' } as const;

async function expectEffect(id: string, effect: ReturnEffect, reason: string): Promise<void> {
  const { status } = await read(id);
  expect(status).toBe(STATUS[effect]);
  const row = await server.storage.db.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirst();
  expect(row?.reason).toBe(effect === 'keep' ? null : reason);
  const { payment_instrument } = row ?? {};
  expect(enabled().includes(payment_instrument ?? '')).toBe(effect === 'keep');
}

describe('the tables', () => {
  beforeAll(async () => {
    server = await startWithDebits();
  });
  afterAll(() => server.close());

  describe('the table of return codes', () => {
    // Written out here, so that a change of the table is a change of a test that names it.
    const rows: Record<string, ReturnEffect> = {
      R01: 'keep',
      R02: 'dead',
      R03: 'blocked',
      R04: 'repair',
      R05: 'blocked',
      R06: 'blocked',
      R07: 'blocked',
      R08: 'blocked',
      R09: 'keep',
      R10: 'blocked',
      R11: 'blocked',
      R12: 'repair',
      R13: 'dead',
      R14: 'dead',
      R15: 'dead',
      R16: 'blocked',
      R17: 'blocked',
      R20: 'dead',
      R21: 'keep',
      R22: 'keep',
      R23: 'blocked',
      R24: 'keep',
      R28: 'dead',
      R29: 'blocked',
      R31: 'blocked',
      R80: 'blocked',
      R81: 'blocked',
      R82: 'blocked',
      R83: 'blocked',
      R84: 'blocked',
      R85: 'blocked',
    };

    it('the table of return codes has a test for each of its rows', () => {
      expect(Object.keys(RETURN_RULES)).toEqual(Object.keys(rows));
    });

    it.each(Object.entries(rows))('return code %s: %s', async (code, effect) => {
      const { id } = await connectNew();
      const transfer = await returned(id, code);
      await expectEffect(id, effect, `return_${code}`);
      expect((await read(id)).last_return).toMatchObject({ code, transfer, amount: 5_000, currency: 'USD' });
    });

    it.each(['R33', 'R37', 'R38', 'R39', 'R51', 'R52', 'R53', 'R40', 'R47', 'R61', 'R69', 'R70', 'R77', 'R99'])(
      'return code %s is shown and changes nothing',
      async (code) => {
        const { id } = await connectNew();
        await returned(id, code);
        await expectEffect(id, 'keep', '');
        expect((await read(id)).last_return?.code).toBe(code);
      },
    );
  });

  describe('the table of failure codes', () => {
    const rows: Record<string, ReturnEffect> = {
      INVALID_ROUTING_NUMBER: 'dead',
      INVALID_BANK_ACCOUNT_VALIDATION_CHECK: 'dead',
      BANK_ACCOUNT_FROZEN: 'blocked',
      NON_TRANSACTION_ACCOUNT: 'dead',
      PAYMENT_STOPPED: 'blocked',
      TRANSACTION_NOT_PERMITTED: 'blocked',
      GENERIC_DECLINE: 'keep',
      DO_NOT_HONOR: 'keep',
      CALL_ISSUER: 'keep',
      FRAUD_DETECTED: 'blocked',
      FRAUD_DETECTED_BY_FINIX: 'blocked',
      MAX_TRANSACTION_AMOUNT_EXCEEDED: 'keep',
      INVALID_AMOUNT: 'keep',
      DUPLICATE_TRANSACTION: 'keep',
    };

    async function failed(id: string, failureCode: string): Promise<string> {
      const transfer = await debit(id);
      ach().fail(transfer, failureCode);
      await settled();
      return transfer;
    }

    it('the table of failure codes has a test for each of its rows', () => {
      expect(Object.keys(FAILURE_RULES)).toEqual(Object.keys(rows));
    });

    it.each(Object.entries(rows))('failure code %s: %s', async (failure_code, effect) => {
      const { id } = await connectNew();
      const transfer = await failed(id, failure_code);
      await expectEffect(id, effect, `return_${failure_code}`);
      expect((await read(id)).last_return).toMatchObject({ code: null, failure_code, transfer });
    });

    it.each([
      ['INSUFFICIENT_FUNDS', 'R01', 'keep'],
      ['BANK_ACCOUNT_CLOSED', 'R02', 'dead'],
      ['NO_BANK_ACCOUNT_FOUND', 'R03', 'blocked'],
      ['INVALID_BANK_ACCOUNT_NUMBER', 'R04', 'repair'],
    ] as const)('failure code %s matches %s: %s', async (failure_code, code, effect) => {
      const { id } = await connectNew();
      await failed(id, failure_code);
      await expectEffect(id, effect, `return_${code}`);
      expect((await read(id)).last_return).toMatchObject({ code, failure_code });
    });

    it.each(['GENERIC_DECLINE', 'DO_NOT_HONOR', 'CALL_ISSUER'])(
      'failure code %s twice in a row blocks',
      async (code) => {
        const { id } = await connectNew();
        await failed(id, code);
        await failed(id, code);
        await expectEffect(id, 'blocked', `return_${code}`);
      },
    );

    it('an unknown failure code is shown and changes nothing', async () => {
      const { id } = await connectNew();
      await failed(id, 'SOMETHING_NEW');
      await expectEffect(id, 'keep', '');
      expect((await read(id)).last_return).toMatchObject({ code: null, failure_code: 'SOMETHING_NEW' });
    });
  });
});

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

  it('a debit with a merchant’s tag that reads like a code is returned with the provider’s code', async () => {
    const { id } = await connect();
    const transfer = await debit(id, 5_000, { tags: { order: 'R12' } });
    ach().returnDebit(transfer, 'R01', { form: 'failed', codeIn: 'nowhere' });
    await settled();
    expect((await read(id)).last_return?.code).toBe('R01');
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
    const transfer = await returned(id, 'R10');
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
