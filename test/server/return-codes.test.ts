import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAILURE_RULES, RETURN_RULES, ruleOf } from '../../server/lifecycle/return-codes.ts';
import type { ReturnEffect } from '../../server/storage/tables.ts';
import { debits, startWithDebits } from '../helpers/debits.ts';
import type { TestServer } from '../helpers/server.ts';

let server: TestServer;
const { ach, expectEffect, connectNew, debit, read, returned, settled } = debits(() => server);

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

  // R40 to R47, R61 to R69 and R70 to R77 are not about debits of this kind.
  it('every other return code changes nothing', () => {
    const all = Array.from({ length: 100 }, (_, number) => `R${String(number).padStart(2, '0')}`);
    const others = all.filter((code) => !(code in RETURN_RULES));
    expect(others).toHaveLength(100 - Object.keys(RETURN_RULES).length);
    expect(others.filter((code) => ruleOf(code, 'INVALID_ROUTING_NUMBER').effect !== 'keep')).toEqual([]);
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
