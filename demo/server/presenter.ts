import { plaidUserId } from '../../server/ids.ts';
import type { MerchantConnection } from '../../widget/contract.ts';
import type { RunningSimulator, SimulatedCall } from '../simulator/index.ts';
import { ACTIONS, type Action, canReturn, type Step } from '../step.ts';
import { findStory } from '../stories.ts';
import type { ConnectServer } from './connect-server.ts';
import type { MerchantApi } from './merchant-api.ts';
import { MERCHANTS, type Merchant } from './merchants.ts';
import { charge } from './orders.ts';
import type { Customer, Visits } from './visits.ts';

/** How long the process stays dead: long enough to be noticed, short enough to be waited for. */
const DEAD_MS = 1_500;

/** What a presenter can do: choose how Link and the providers behave, and make happen what comes later. */
export interface Presenter {
  /** Lets the simulator meet the customer by name. */
  introduce(customer: Customer): void;
  merchantFor(customer: Customer): Merchant;
  /** @returns why not; undefined when it is done */
  choose(customer: Customer, story: string): string | undefined;
  act(customer: Customer, action: string): Promise<string | undefined>;
  /** A webhook of the connect server reached the merchant. */
  received(customer: Customer, type: string, connection: MerchantConnection): void;
  /** Finix is being asked for a payment instrument. */
  instrumentIsAskedFor(customer: Customer, call: SimulatedCall): void;
}

export interface PresenterOptions {
  simulator: RunningSimulator['simulator'] | undefined;
  visits: Visits;
  api: MerchantApi;
  /** Undefined: there is no process that could be killed. */
  server: ConnectServer | undefined;
}

export function createPresenter({ simulator, api, server }: PresenterOptions): Presenter {
  const say = ({ visit, merchant }: Customer, step: Omit<Step, 'id' | 'at' | 'merchant'>) =>
    visit.add({ merchant, ...step });

  function introduce({ id, merchant, scenario }: Customer): void {
    const username = findStory(scenario).username;
    simulator?.people.set(plaidUserId(id), { username, owner: MERCHANTS[merchant].person.owner });
  }

  /**
   * The Item behind the customer's connection: the latest that is not removed and whose instrument is the connection's.
   */
  function itemOf({ connection }: Customer): string | undefined {
    const instrument = simulator?.ledger.instruments().find(({ id }) => id === connection?.payment_instrument);
    const call = simulator?.ledger.calls().findLast(({ response }) => {
      const made = (response as { processor_token?: string } | null)?.processor_token;
      return made !== undefined && made === instrument?.['third_party_token'];
    });
    const token = (call?.body as { access_token?: string } | undefined)?.access_token;
    return simulator?.ledger.items().find(({ access_token }) => access_token === token)?.item_id;
  }

  const happens: Record<Action, (customer: Customer) => Promise<string | undefined>> = {
    return_R01: (customer) => debitReturns(customer, 'R01'),
    return_R03: (customer) => debitReturns(customer, 'R03'),
    return_R10: (customer) => debitReturns(customer, 'R10'),
    async break_login(customer) {
      const item = itemOf(customer);
      if (!item) return 'No bank is connected yet.';
      say(customer, { kind: 'bank', from: 'plaid', to: 'connect', what: 'login broken', facts: bankOf(customer) });
      simulator?.bank.breakLogin(item);
      return undefined;
    },
    async revoke(customer) {
      const item = itemOf(customer);
      if (!item) return 'No bank is connected yet.';
      say(customer, {
        kind: 'bank',
        from: 'plaid',
        to: 'connect',
        what: 'permission revoked',
        facts: bankOf(customer),
      });
      simulator?.bank.revokePermission(item);
      return undefined;
    },
    async repair_link(customer) {
      if (customer.connection?.status !== 'needs_repair') return 'The login works: there is nothing to repair.';
      if (!server) return 'A link needs the server of npm run demo.';
      const { url, qr } = await api.repairLink(customer, MERCHANTS[customer.merchant], customer.connection.id);
      customer.link = { url, qr };
      customer.visit.stateChanged(customer);
      return undefined;
    },
    async debit_again(customer) {
      const order = customer.orders.at(-1);
      const connection = order && (await api.getConnection(order.connection));
      if (!order || !connection) return 'Nothing was ordered yet.';
      await charge(api, customer, MERCHANTS[customer.merchant], order, connection);
      customer.visit.stateChanged(customer);
      return undefined;
    },
  };

  async function debitReturns(customer: Customer, code: 'R01' | 'R03' | 'R10'): Promise<string | undefined> {
    const order = customer.orders.at(-1);
    if (!order?.transfer || order.state !== 'sent') return 'There is no payment that could come back.';
    if (!canReturn(customer.merchant, `return_${code}`)) return `A payout does not return with ${code}.`;
    say(customer, {
      kind: 'bank',
      from: 'finix',
      to: 'connect',
      what: 'debit returned',
      facts: { ...bankOf(customer), code },
    });
    simulator?.ach.returnDebit(order.transfer, code);
    return undefined;
  }

  return {
    introduce,
    merchantFor: ({ merchant, scenario }) => ({ ...MERCHANTS[merchant], ...findStory(scenario).session }),
    choose(customer, name) {
      const story = findStory(name);
      if (story.id !== name) return 'There is no such scenario.';
      if (story.kills && !server) return 'This needs the server of npm run demo.';
      customer.scenario = name;
      customer.isKillArmed = story.kills === true;
      // Another way to connect is another session.
      delete customer.session;
      customer.link = null;
      introduce(customer);
      customer.visit.stateChanged(customer);
      return undefined;
    },
    async act(customer, action) {
      const known = ACTIONS.find((one) => one === action);
      if (!known) return 'There is no such action.';
      return await happens[known](customer);
    },
    received(customer, type, connection) {
      if (connection.status === 'active') customer.link = null;
      say(customer, {
        kind: 'call',
        from: 'connect',
        to: 'shop',
        what: 'POST /webhooks/merchant',
        status: 204,
        ms: 0,
        request: { headers: { 'webhook-signature': '••••••' }, body: { type, data: connection } },
        response: { headers: {}, body: null },
      });
    },
    instrumentIsAskedFor(customer, { body }) {
      if (!customer.isKillArmed || !simulator) return;
      customer.isKillArmed = false;
      const { identity } = body as { identity?: string };
      // Finix does make the instrument; its answer finds no one.
      simulator.faults.add({
        service: 'finix',
        path: '/payment_instruments',
        method: 'POST',
        kind: 'timeout',
        when: 'after',
        times: 1,
        about: identity,
      });
      void killAndRestart(customer);
    },
  };

  async function killAndRestart(customer: Customer): Promise<void> {
    if (!server) return;
    const pid = String(server.pid ?? '');
    say(customer, { kind: 'process', from: 'connect', to: 'connect', what: 'killed', facts: { pid } });
    await server.kill();
    await new Promise((resolve) => setTimeout(resolve, DEAD_MS));
    await server.start();
    say(customer, {
      kind: 'process',
      from: 'connect',
      to: 'connect',
      what: 'started',
      facts: { pid: String(server.pid ?? '') },
    });
    customer.visit.stateChanged(customer);
  }
}

function bankOf({ orders, connection }: Customer): Record<string, string> {
  const bank = orders.at(-1)?.bank ?? connection?.institution.name;
  return bank ? { bank } : {};
}
