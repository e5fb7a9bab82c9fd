import type { Scenario } from './scenario.ts';

const PENDING = { login: { username: 'user_pending_verification' } };
/** Between two events of one connection: shorter and longer than the server takes to handle the first. */
const PAUSE_MS = 300;

/** What Plaid and Finix send about connections after their sessions. */
export const WEBHOOK_SCENARIOS: readonly Scenario[] = [
  {
    name: 'verified',
    async live(customer) {
      await customer.connect([], PENDING);
      customer.bank.verify(customer.itemId, 'automatically_verified');
    },
    end: ['active'],
    made: 1,
  },
  {
    name: 'revoked',
    async live(customer) {
      await customer.connect();
      customer.bank.revokePermission(customer.itemId);
    },
    end: ['revoked'],
    made: 1,
  },
  {
    name: 'broken and repaired',
    async live(customer) {
      await customer.connect();
      customer.bank.breakLogin(customer.itemId);
      await customer.pause(PAUSE_MS);
      customer.bank.repairLogin(customer.itemId);
    },
    end: ['active'],
    made: 1,
  },
  {
    name: 'disabled and enabled at Finix',
    async live(customer) {
      await customer.connect();
      for (const isEnabled of [false, true, false, true]) {
        await customer.setEnabled(isEnabled);
        await customer.pause(PAUSE_MS);
      }
    },
    end: ['active'],
    made: 1,
  },
  {
    name: 'enabled and disabled at Finix',
    async live(customer) {
      await customer.connect();
      for (const isEnabled of [false, true, false]) {
        await customer.setEnabled(isEnabled);
        await customer.pause(PAUSE_MS);
      }
    },
    end: ['revoked'],
    made: 1,
  },
  {
    name: 'broken, then revoked',
    async live(customer) {
      await customer.connect();
      customer.bank.breakLogin(customer.itemId);
      await customer.pause(PAUSE_MS);
      customer.bank.revokePermission(customer.itemId);
    },
    end: ['revoked'],
    made: 1,
  },
  {
    name: 'new numbers',
    async live(customer) {
      await customer.connect();
      customer.bank.renumber(customer.itemId);
    },
    end: ['active'],
  },
  {
    name: 'verification expired',
    async live(customer) {
      await customer.connect([], PENDING);
      customer.bank.verify(customer.itemId, 'verification_expired');
    },
    end: ['failed'],
    made: 0,
  },
];
