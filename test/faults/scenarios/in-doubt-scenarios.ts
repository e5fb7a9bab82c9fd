import { ONE_ACCOUNT } from '../customer.ts';
import type { ScenarioCustomer } from './customer.ts';
import type { Scenario } from './scenario.ts';
import { lostIdentity, lostInstrument, noInstrumentAfter, noProcessorTokenAfter } from './troubles.ts';

/** The customer does not run Link again when asked to. */
const GIVES_UP = { maxRuns: 1 };

/** Starts to connect with an instrument whose create call is in doubt, and lets `happen` while it is. */
async function whileInstrumentIsInDoubt(
  customer: ScenarioCustomer,
  happen: () => Promise<unknown>,
  more = GIVES_UP,
): Promise<void> {
  const connecting = customer.connect([lostInstrument(customer.number)], more);
  await customer.made(1);
  await happen();
  await connecting;
}

/**
 * Every end of a session or connection while its instrument's create call is in doubt. Where the instrument is found
 * before the end, as on a slow machine, the connection is active; what matters is that nothing else is enabled.
 */
const ENDS: readonly Scenario[] = [
  {
    name: 'Plaid refuses the processor token',
    async live(customer) {
      const refused = noProcessorTokenAfter(1, 'ITEM_NOT_SUPPORTED');
      await customer.connect([lostInstrument(customer.number), ...refused]);
    },
    end: ['failed', 'active'],
  },
  {
    name: 'Link must be run again, and is not',
    async live(customer) {
      const broken = noProcessorTokenAfter(1, 'ITEM_LOGIN_REQUIRED');
      await customer.connect([lostInstrument(customer.number), ...broken], GIVES_UP);
    },
    end: ['failed', 'active'],
  },
  {
    name: 'Link must be run again, and is',
    async live(customer) {
      await customer.connect([lostInstrument(customer.number), ...noProcessorTokenAfter(1, 'ITEM_LOGIN_REQUIRED')]);
    },
    end: ['active', 'failed'],
  },
  {
    name: 'Link must be run again, and the session is canceled',
    async live(customer) {
      const broken = noProcessorTokenAfter(1, 'ITEM_LOGIN_REQUIRED');
      await customer.connect([lostInstrument(customer.number), ...broken], GIVES_UP);
      await customer.cancel();
    },
    end: ['failed', 'active'],
  },
  {
    name: 'canceled, or too late for it',
    live: (customer) => whileInstrumentIsInDoubt(customer, () => customer.cancel()),
    end: ['active', 'failed'],
  },
  {
    name: 'the budget is over',
    async live(customer) {
      const connecting = customer.connect([lostInstrument(customer.number), ...noInstrumentAfter(0)], GIVES_UP);
      await customer.made(1);
      await customer.world.exhaustBudget(customer.sessionId ?? '');
      await connecting;
    },
    end: ['failed', 'active'],
  },
  {
    name: 'removed',
    live: (customer) => whileInstrumentIsInDoubt(customer, () => customer.remove()),
    end: [],
  },
  {
    name: 'erased',
    live: (customer) => whileInstrumentIsInDoubt(customer, () => customer.erase()),
    end: [],
  },
  {
    name: 'revoked',
    live: (customer) => whileInstrumentIsInDoubt(customer, async () => customer.bank.revokePermission(customer.itemId)),
    end: ['revoked', 'failed'],
  },
  {
    name: 'removed, and connected again',
    async live(customer) {
      await whileInstrumentIsInDoubt(customer, () => customer.remove());
      await customer.connect();
    },
    end: ['active'],
  },
];

/**
 * As ENDS, in a world whose lists lag beyond the quiet period. Workers die in it, too: an identity whose create call
 * one of them left in doubt can't be found in time, and Finix has no way to remove the second one.
 */
export const INSTRUMENT_IN_DOUBT: readonly Scenario[] = ENDS.map((scenario) => ({ ...scenario, identities: 2 }));

/** As whileInstrumentIsInDoubt, for the customer's identity. */
async function whileIdentityIsInDoubt(customer: ScenarioCustomer, happen: () => Promise<unknown>): Promise<void> {
  const connecting = customer.connect([lostIdentity(customer.number)], GIVES_UP);
  await customer.until('an identity at Finix', () => customer.world.upstream.identitiesOf(customer.email) > 0);
  await happen();
  await connecting;
}

/**
 * As INSTRUMENT_IN_DOUBT, for the customer's identity; afterwards most of them connect again, with the one identity.
 */
export const IDENTITY_IN_DOUBT: readonly Scenario[] = [
  {
    name: 'removed, and connected again',
    async live(customer) {
      await whileIdentityIsInDoubt(customer, () => customer.remove());
      await customer.connect();
    },
    end: ['active'],
  },
  {
    name: 'the budget is over, and connected again',
    async live(customer) {
      await whileIdentityIsInDoubt(customer, () => customer.world.exhaustBudget(customer.sessionId ?? ''));
      await customer.connect();
    },
    end: ['active', 'failed'],
  },
  {
    name: 'revoked, and connected again',
    async live(customer) {
      await whileIdentityIsInDoubt(customer, async () => customer.bank.revokePermission(customer.itemId));
      await customer.connect();
    },
    end: ['active', 'revoked', 'failed'],
  },
  {
    name: 'canceled, or too late for it',
    live: (customer) => whileIdentityIsInDoubt(customer, () => customer.cancel()),
    end: ['active', 'failed'],
  },
  {
    name: 'a second session of the customer',
    async live(customer) {
      await whileIdentityIsInDoubt(customer, () => customer.connect([], { login: { username: ONE_ACCOUNT } }));
    },
    end: ['active'],
  },
  {
    name: 'erased',
    live: (customer) => whileIdentityIsInDoubt(customer, () => customer.erase()),
    end: [],
  },
];
