import { RENUMBERING_BANK } from '../customer.ts';
import type { ScenarioCustomer } from './customer.ts';
import type { Scenario } from './scenario.ts';
import { INSTRUMENT_AND_500, lostInstrument } from './troubles.ts';

/**
 * Connects with two instruments, one of which is a duplicate that Finix's list does not show yet. Where an instance is
 * killed after the first, its successor waits until the list shows it, and makes no second.
 */
async function connectWithDuplicate(customer: ScenarioCustomer, institution?: string): Promise<void> {
  await customer.connect([INSTRUMENT_AND_500], { login: { institution } });
}

/** The bank gives new numbers, and the create call of the new instrument is in doubt as well. */
async function renumberInDoubt(customer: ScenarioCustomer): Promise<void> {
  customer.fault(customer.number % 2 === 0 ? INSTRUMENT_AND_500 : lostInstrument(customer.number));
  await customer.makesAnother(() => customer.bank.renumber(customer.itemId));
}

/** What happens to a connection before the sweep that is to disable a duplicate instrument of it. */
export const QUIET_PERIOD: readonly Scenario[] = [
  {
    name: 'new numbers',
    async live(customer) {
      await connectWithDuplicate(customer);
      customer.bank.renumber(customer.itemId);
    },
    end: ['active'],
  },
  {
    name: 'new numbers, in doubt as well',
    async live(customer) {
      await connectWithDuplicate(customer);
      await renumberInDoubt(customer);
    },
    end: ['active'],
  },
  {
    name: 'new numbers twice',
    async live(customer) {
      await connectWithDuplicate(customer);
      await customer.makesAnother(() => customer.bank.renumber(customer.itemId));
      customer.bank.renumber(customer.itemId);
    },
    end: ['active'],
  },
  {
    name: 'new numbers in doubt, and revoked',
    async live(customer) {
      await customer.connect();
      await renumberInDoubt(customer);
      customer.bank.revokePermission(customer.itemId);
    },
    end: ['revoked'],
  },
  {
    name: 'new numbers in doubt, and removed',
    async live(customer) {
      await customer.connect();
      await renumberInDoubt(customer);
      await customer.remove();
    },
    end: [],
  },
  {
    name: 'repaired at a bank that renumbers',
    async live(customer) {
      await connectWithDuplicate(customer, RENUMBERING_BANK);
      customer.bank.breakLogin(customer.itemId);
      await customer.becomes('needs_repair');
      await customer.repair();
    },
    end: ['active'],
  },
  {
    name: 'repaired with the same numbers',
    async live(customer) {
      await connectWithDuplicate(customer);
      customer.bank.breakLogin(customer.itemId);
      await customer.becomes('needs_repair');
      await customer.repair();
    },
    end: ['active'],
  },
  {
    name: 'revoked',
    async live(customer) {
      await connectWithDuplicate(customer);
      customer.bank.revokePermission(customer.itemId);
    },
    end: ['revoked'],
  },
  {
    name: 'revoked, and given again',
    async live(customer) {
      await connectWithDuplicate(customer);
      customer.bank.revokePermission(customer.itemId);
      await customer.becomes('revoked');
      await customer.repair();
    },
    end: ['active'],
  },
  {
    name: 'removed',
    async live(customer) {
      await connectWithDuplicate(customer);
      await customer.remove();
    },
    end: [],
  },
  {
    name: 'erased',
    async live(customer) {
      await connectWithDuplicate(customer);
      await customer.erase();
    },
    end: [],
  },
  {
    name: 'connected again',
    async live(customer) {
      await connectWithDuplicate(customer);
      await customer.connect();
    },
    end: ['active'],
  },
];
