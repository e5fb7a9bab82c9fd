import { setTimeout as sleep } from 'node:timers/promises';
import type { ScenarioCustomer } from './customer.ts';
import type { Scenario } from './scenario.ts';

/**
 * Between two events with the same body. The webhooks' signatures have seconds, and the second copy of each webhook is
 * signed as of a second before: closer together, two events look like two copies of one.
 */
export const APART_MS = 2_200;
const PAUSE_MS = 300;
/** Within the time-out of a call, and longer than both copies of a webhook take. */
const SLOW_READ_MS = 400;

async function breaks(customer: ScenarioCustomer): Promise<void> {
  customer.bank.breakLogin(customer.itemId);
  await customer.becomes('needs_repair');
}

/**
 * Logins that break, are repaired and break again, and permissions that come and go: in the end, Plaid's state counts.
 */
export const LOGINS: readonly Scenario[] = [
  {
    name: 'broken, repaired elsewhere, broken again',
    async live(customer) {
      await customer.connect();
      await breaks(customer);
      customer.bank.repairLogin(customer.itemId);
      await customer.becomes('active');
      await sleep(APART_MS);
      customer.bank.breakLogin(customer.itemId);
    },
    end: ['needs_repair'],
    made: 1,
  },
  {
    name: 'broken, repaired here, broken again',
    async live(customer) {
      await customer.connect();
      await breaks(customer);
      await customer.repair();
      await sleep(APART_MS);
      customer.bank.breakLogin(customer.itemId);
    },
    end: ['needs_repair'],
    made: 1,
  },
  {
    name: 'broken and repaired, both twice',
    async live(customer) {
      await customer.connect();
      for (const _ of [1, 2]) {
        await breaks(customer);
        await customer.repair();
        await sleep(APART_MS);
      }
    },
    end: ['active'],
    made: 1,
  },
  {
    name: 'broken, repaired, broken again, in any order',
    async live(customer) {
      await customer.connect();
      customer.bank.breakLogin(customer.itemId);
      await customer.pause(PAUSE_MS);
      customer.bank.repairLogin(customer.itemId);
      await sleep(APART_MS);
      customer.bank.breakLogin(customer.itemId);
    },
    end: ['needs_repair'],
    made: 1,
  },
  {
    name: 'broken twice, then repaired',
    async live(customer) {
      await customer.connect();
      customer.bank.breakLogin(customer.itemId);
      await sleep(APART_MS);
      customer.bank.breakLogin(customer.itemId);
      await customer.pause(PAUSE_MS);
      customer.bank.repairLogin(customer.itemId);
    },
    end: ['active'],
    made: 1,
  },
  {
    name: 'revoked, given again, revoked again',
    async live(customer) {
      await customer.connect();
      customer.bank.revokePermission(customer.itemId);
      await customer.becomes('revoked');
      await customer.repair();
      await sleep(APART_MS);
      customer.bank.revokePermission(customer.itemId);
    },
    end: ['revoked'],
  },
  {
    name: 'revoked, and given again before the second copy',
    async live(customer) {
      await customer.connect();
      customer.bank.revokePermission(customer.itemId);
      await customer.becomes('revoked');
      await customer.repair();
    },
    end: ['active'],
  },
  {
    name: 'the account is taken back during a repair',
    async live(customer) {
      await customer.connect();
      await breaks(customer);
      const { upstream } = customer.world;
      const [account = ''] = upstream.accountsOf(customer.itemId);
      const reads = () => upstream.callsAbout(customer.itemId, '/item/get');
      const before = reads();
      customer.fault({ service: 'plaid', path: '/item/get', kind: 'delay', delayMs: SLOW_READ_MS, times: 1 });
      upstream.deliverAtOnce(customer.itemId);
      const repairing = customer.repair();
      await customer.until('the repair asking Plaid', () => reads() > before);
      customer.bank.revokeAccount(customer.itemId, account);
      await repairing;
    },
    end: ['revoked'],
    made: 1,
  },
];
