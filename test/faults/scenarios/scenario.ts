import type { ConnectionStatus } from '../../../widget/contract.ts';
import type { ScenarioCustomer } from './customer.ts';

/** What happens to one customer's connection, and what is true in the end, in whichever order the webhooks arrive. */
export interface Scenario {
  name: string;
  live(customer: ScenarioCustomer): Promise<void>;
  /**
   * The statuses that the customer's connections may have in the end, `removed` ones apart; empty: none but removed
   * ones are left.
   */
  end: readonly ConnectionStatus[];
  /** How many instruments Finix may have made in the end, enabled or not; any number when left out. */
  made?: number;
  /** How many identities of the customer Finix may have; one when left out. */
  identities?: number;
  /** Having no connection, and nothing enabled, is right as well. */
  orGone?: boolean;
  /** The access token can be lost, and then the Item can't be removed. */
  itemsMayStay?: boolean;
}
