import { setTimeout as sleep } from 'node:timers/promises';
import type { ScenarioCustomer } from './customer.ts';
import { APART_MS } from './login-scenarios.ts';
import type { Scenario } from './scenario.ts';

/** Customers come one after the other, so that every kind of work is in progress when the schema changes. */
const SPREAD_MS = 2_500;
/** When an instance of the new version works next to those of the earlier one. */
export const SIDE_BY_SIDE = 'side by side';

/**
 * Half of the customers come once both versions serve, however long the start took.
 * @returns whether the customer has a connection to which something can happen
 */
async function connect(customer: ScenarioCustomer): Promise<boolean> {
  if (customer.number % 8 >= 4) await customer.at(SIDE_BY_SIDE);
  await customer.pause(SPREAD_MS);
  const { final, lastAnswer } = await customer.connect();
  const isConnected = final?.status === 'completed';
  if (!isConnected)
    customer.problems.push(
      `its session ended as ${final?.status ?? 'nothing in time'} (${final?.error?.code ?? lastAnswer})`,
    );
  return isConnected;
}

/** Sessions, and webhooks that change connections: their transactions take the tables' locks in different orders. */
export const UPGRADE: readonly Scenario[] = [
  {
    name: 'broken and repaired, again and again',
    async live(customer) {
      if (!(await connect(customer))) return;
      for (const _ of [1, 2, 3]) {
        // The earlier version takes the second of two repairs that are signed in the same second for a copy of the
        // first: one that it has handled while the login was broken is then the last that it handles.
        customer.bank.breakLogin(customer.itemId);
        await sleep(APART_MS / 2);
        customer.bank.repairLogin(customer.itemId);
        await sleep(APART_MS / 2);
      }
    },
    end: ['active'],
    made: 1,
  },
  {
    name: 'revoked',
    async live(customer) {
      if (await connect(customer)) customer.bank.revokePermission(customer.itemId);
    },
    end: ['revoked'],
    made: 1,
  },
  {
    name: 'new numbers',
    async live(customer) {
      if (await connect(customer)) customer.bank.renumber(customer.itemId);
    },
    end: ['active'],
  },
  {
    name: 'removed',
    async live(customer) {
      if (await connect(customer)) await customer.remove();
    },
    end: [],
    made: 1,
  },
];
