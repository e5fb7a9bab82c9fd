import type { FaultRule } from '../../../demo/simulator/index.ts';
import type { ScenarioCustomer } from './customer.ts';
import type { Scenario } from './scenario.ts';
import { lostInstrument } from './troubles.ts';

/** The calls in front of which work can be held up while the database is copied. */
const HELD_UP: Record<string, Pick<FaultRule, 'service' | 'path' | 'method'>> = {
  'before the exchange': { service: 'plaid', path: '/item/public_token/exchange' },
  'before the accounts are read': { service: 'plaid', path: '/accounts/get' },
  'before the identity': { service: 'finix', path: '/identities', method: 'POST' },
  'before the processor token': { service: 'plaid', path: '/processor/token/create' },
};

/**
 * Work that is at a recovery point in the copy and is finished after it: it is done once more when the copy is put
 * back.
 */
function inFlight(name: string, call: (typeof HELD_UP)[string]): Scenario {
  return {
    name: `in flight at the copy, ${name}`,
    async live(customer) {
      const connecting = customer.connect([{ ...call, kind: 'status' }]);
      await customer.isProcessing();
      await customer.at('copied');
      customer.release();
      await connecting;
      await customer.at('put back');
      await customer.comesBack();
    },
    end: ['active'],
    itemsMayStay: true,
  };
}

async function changedAfterTheCopy(customer: ScenarioCustomer, change: () => Promise<unknown>): Promise<void> {
  await customer.connect();
  await customer.at('copied');
  await change();
  await customer.at('put back');
}

/** What an older copy of the database does not know, and what it knows wrongly. */
export const COPIES: readonly Scenario[] = [
  ...Object.entries(HELD_UP).map(([name, call]) => inFlight(name, call)),
  {
    name: 'in flight at the copy, with an instrument in doubt',
    async live(customer) {
      const connecting = customer.connect([lostInstrument(customer.number)]);
      await customer.made(1);
      await customer.at('copied');
      await connecting;
      await customer.at('put back');
    },
    end: ['active'],
  },
  {
    name: 'connected before the copy',
    live: (customer) => changedAfterTheCopy(customer, async () => {}),
    end: ['active'],
    made: 1,
  },
  {
    name: 'in Link at the copy',
    async live(customer) {
      const session = await customer.openSession();
      await customer.at('copied');
      await customer.connect([], { existing: { session } });
      await customer.at('put back');
      await customer.comesBack();
    },
    end: ['active'],
  },
  {
    name: 'connected after the copy, and comes again',
    async live(customer) {
      await customer.at('copied');
      await customer.connect();
      await customer.at('put back');
      await customer.connect();
    },
    end: ['active'],
  },
  {
    name: 'connected after the copy, and does not come again',
    async live(customer) {
      await customer.at('copied');
      await customer.connect();
      await customer.at('put back');
    },
    end: [],
    itemsMayStay: true,
  },
  {
    name: 'removed after the copy',
    live: (customer) => changedAfterTheCopy(customer, () => customer.remove()),
    end: ['revoked', 'needs_repair', 'failed'],
  },
  {
    name: 'revoked after the copy',
    live: (customer) =>
      changedAfterTheCopy(customer, async () => {
        customer.bank.revokePermission(customer.itemId);
        await customer.becomes('revoked');
      }),
    end: ['revoked', 'needs_repair'],
  },
  {
    name: 'renewed after the copy',
    live: (customer) =>
      changedAfterTheCopy(customer, async () => {
        customer.bank.renumber(customer.itemId);
        await customer.made(2);
        await customer.becomes('active');
      }),
    end: ['active', 'revoked', 'needs_repair'],
  },
];

/** Customers come one after the other. */
const SPREAD_MS = 2_000;

/** @param beginsAfter in the replica, nothing is known of a customer who begins only after its last commit */
function losesCommits(name: string, beginsAfter: boolean, comesBack: boolean): Scenario {
  const own = comesBack ? ({ end: ['active'] } as const) : ({ end: ['active', 'failed'], orGone: true } as const);
  return {
    name,
    async live(customer) {
      if (beginsAfter) await customer.at('copied');
      await customer.pause(SPREAD_MS);
      await customer.connect();
      await customer.at('promoted');
      if (comesBack) await customer.comesBack();
    },
    itemsMayStay: true,
    ...own,
  };
}

/** Customers of a server whose database loses its last commits: each half begins before them, and after. */
export const REPLICA: readonly Scenario[] = [
  losesCommits('comes back', false, true),
  losesCommits('begins after the last commit, and comes back', true, true),
  losesCommits('does not come back', false, false),
  losesCommits('begins after the last commit, and does not come back', true, false),
];
