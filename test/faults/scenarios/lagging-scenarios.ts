import type { Scenario } from './scenario.ts';
import { lostInstrument } from './troubles.ts';

/** Two instruments come of a list that lags; in the end one is left. */
export const LAGGING_LISTS: readonly Scenario[] = [
  {
    name: 'connected',
    async live(customer) {
      await customer.connect([lostInstrument(customer.number)]);
    },
    end: ['active'],
  },
  {
    name: 'new numbers',
    async live(customer) {
      await customer.connect();
      customer.fault(lostInstrument(customer.number));
      customer.bank.renumber(customer.itemId);
    },
    end: ['active'],
  },
];
