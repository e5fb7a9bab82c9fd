import { slowly } from '../times.ts';
import type { ScenarioCustomer } from './customer.ts';
import type { Scenario } from './scenario.ts';
import { ITEM_DOWN, PROCESSOR_TOKENS_DOWN, SLOW_INSTRUMENT } from './troubles.ts';

/**
 * A webhook's lateness, a call to Finix that is given up and tried again, and a busy machine: far less than Plaid's
 * outage.
 */
const STOP_MS = slowly(5_000);
const SEVERAL_ACCOUNTS = {
  login: { username: 'user_several' },
  session: { account_selection: 'multiple' },
  maxRuns: 1,
} as const;

/**
 * Lets `stop` happen while a repair of the connection waits for Plaid, and measures how long the instrument stays
 * enabled.
 */
async function whileRepairWaits(customer: ScenarioCustomer, stop: () => Promise<void>): Promise<void> {
  await customer.connect();
  customer.bank.breakLogin(customer.itemId);
  await customer.becomes('needs_repair');
  const isBack = ITEM_DOWN.map((rule) => customer.fault(rule));
  let session: string | undefined;
  const repairing = customer.repair({
    begun: (id) => {
      session = id;
    },
  });
  await customer.until('the repair begun', () => session !== undefined);
  await customer.isProcessing(session);
  await stopsInTime(customer, stop);
  for (const end of isBack) end();
  await repairing;
}

/** How many sessions a customer begins on a machine so busy that the answers to their exchanges are lost. */
const SESSIONS = 3;

/** A session with several accounts, from the moment that the first of them has its instrument. */
async function firstOfSeveral(customer: ScenarioCustomer): Promise<{ connecting: Promise<unknown> }> {
  for (let sessions = 1; ; sessions++) {
    let isOver = false;
    const connecting = customer.connect([SLOW_INSTRUMENT], SEVERAL_ACCOUNTS).finally(() => {
      isOver = true;
    });
    await customer.until('the first instrument', () => isOver || customer.instruments.length > 0);
    if (!isOver || customer.instruments.length > 0 || sessions === SESSIONS) return { connecting };
    await connecting;
  }
}

/** As whileRepairWaits: a session with several accounts has made an instrument, and waits for Plaid with the next. */
async function whileSiblingWaits(customer: ScenarioCustomer, stop: () => Promise<void>): Promise<void> {
  const { connecting } = await firstOfSeveral(customer);
  const isBack = customer.fault(PROCESSOR_TOKENS_DOWN);
  await stopsInTime(customer, stop);
  isBack();
  await connecting;
}

/** As whileRepairWaits: a renewal waits for Plaid. */
async function whileRenewalWaits(customer: ScenarioCustomer, stop: () => Promise<void>): Promise<void> {
  await customer.connect();
  const isBack = customer.fault(PROCESSOR_TOKENS_DOWN);
  customer.bank.renumber(customer.itemId);
  await customer.becomes('pending');
  await stopsInTime(customer, stop);
  isBack();
}

/** The accounts that a session has not connected yet end with it: `failed`, where it learns of the revocation first. */
const REVOKED_OR_NOT_MADE = ['revoked', 'failed'] as const;

async function revoke(customer: ScenarioCustomer, ends: Scenario['end'] = ['revoked']): Promise<void> {
  customer.bank.revokePermission(customer.itemId);
  await customer.allBecome(ends, STOP_MS);
}

async function stopsInTime(customer: ScenarioCustomer, stop: () => Promise<void>): Promise<void> {
  // At the same time: a request that has to be repeated until it is accepted is part of the wait.
  await Promise.all([stop(), customer.stops(STOP_MS)]);
}

/** Debits that must stop at once, although other work waits for Plaid. */
export const WAITING: readonly Scenario[] = [
  {
    name: 'revoked while a repair waits',
    live: (customer) => whileRepairWaits(customer, () => revoke(customer)),
    end: ['revoked'],
    made: 1,
  },
  {
    name: 'removed while a repair waits',
    live: (customer) => whileRepairWaits(customer, () => customer.remove(STOP_MS)),
    end: [],
    made: 1,
  },
  {
    name: 'erased while a repair waits',
    live: (customer) => whileRepairWaits(customer, () => customer.erase()),
    end: [],
    made: 1,
  },
  {
    name: 'revoked while another account of the login waits',
    live: (customer) => whileSiblingWaits(customer, () => revoke(customer, REVOKED_OR_NOT_MADE)),
    end: REVOKED_OR_NOT_MADE,
  },
  {
    name: 'erased while another account of the login waits',
    live: (customer) => whileSiblingWaits(customer, () => customer.erase()),
    end: [],
  },
  {
    name: 'revoked while a renewal waits',
    live: (customer) => whileRenewalWaits(customer, () => revoke(customer)),
    end: ['revoked'],
  },
  {
    name: 'removed while a renewal waits',
    live: (customer) => whileRenewalWaits(customer, () => customer.remove(STOP_MS)),
    end: [],
  },
];
