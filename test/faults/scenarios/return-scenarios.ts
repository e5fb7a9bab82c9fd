import type { Scenario } from './scenario.ts';

/** Shorter and longer than the server takes to handle an event. */
const PAUSE_MS = 300;

/** A returned debit stops further ones, however its events arrive. */
function returned(code: string, status: Scenario['end'][number]): Scenario {
  return {
    name: `returned with ${code}`,
    async live(customer) {
      await customer.connect();
      const transfer = await customer.debit();
      await customer.pause(PAUSE_MS);
      customer.ach.succeed(transfer);
      await customer.pause(PAUSE_MS);
      customer.ach.returnDebit(transfer, code);
      await customer.becomes(status);
      if (status !== 'active') await customer.until('no debit possible', async () => !(await customer.canDebit()));
    },
    end: [status],
    made: 1,
  };
}

export const RETURNS: readonly Scenario[] = [
  returned('R02', 'failed'),
  returned('R04', 'needs_repair'),
  returned('R10', 'revoked'),
  returned('R01', 'active'),
  {
    name: 'returned twice, the harmless one last',
    async live(customer) {
      await customer.connect();
      const [first, second] = [await customer.debit(), await customer.debit()];
      customer.ach.returnDebit(first, 'R10');
      await customer.pause(PAUSE_MS);
      customer.ach.returnDebit(second, 'R01');
      await customer.becomes('revoked');
    },
    end: ['revoked'],
    made: 1,
  },
  {
    name: 'returned, then repaired',
    async live(customer) {
      await customer.connect();
      customer.ach.returnDebit(await customer.debit(), 'R04');
      await customer.becomes('needs_repair');
      await customer.repair();
    },
    end: ['active'],
    made: 2,
  },
];
