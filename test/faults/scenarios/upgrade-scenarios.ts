import type { ScenarioCustomer } from './customer.ts';
import type { Scenario } from './scenario.ts';

/** Customers come one after the other, so that every kind of work is in progress when the schema changes. */
const SPREAD_MS = 2_500;
const PAUSE_MS = 300;

async function connect(customer: ScenarioCustomer): Promise<void> {
  await customer.pause(SPREAD_MS);
  await customer.connect();
}

/** Sessions, and webhooks that change connections: their transactions take the tables' locks in different orders. */
export const UPGRADE: readonly Scenario[] = [
  {
    name: 'broken and repaired, again and again',
    async live(customer) {
      await connect(customer);
      for (const _ of [1, 2, 3, 4]) {
        customer.bank.breakLogin(customer.itemId);
        await customer.pause(PAUSE_MS);
        customer.bank.repairLogin(customer.itemId);
        await customer.pause(PAUSE_MS);
      }
    },
    end: ['active'],
    made: 1,
  },
  {
    name: 'revoked',
    async live(customer) {
      await connect(customer);
      customer.bank.revokePermission(customer.itemId);
    },
    end: ['revoked'],
    made: 1,
  },
  {
    name: 'new numbers',
    async live(customer) {
      await connect(customer);
      customer.bank.renumber(customer.itemId);
    },
    end: ['active'],
  },
  {
    name: 'removed',
    async live(customer) {
      await connect(customer);
      await customer.remove();
    },
    end: [],
    made: 1,
  },
];
