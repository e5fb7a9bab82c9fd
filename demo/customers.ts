import { randomUUID } from 'node:crypto';
import type { MerchantConnection, Session } from '../widget/contract.ts';
import type { StepLog } from './steps.ts';

/** An order that was paid for, as the receipt shows it. */
export interface Order {
  id: string;
  connection: MerchantConnection;
}

/** One customer of the shop, recognized by the shop's own cookie. */
export interface Customer {
  /** The merchant's own id, under which the connect server knows them. */
  id: string;
  /** The session of the current checkout, so that a reload and a second tab go on with the same one. */
  session?: Promise<Session>;
  orders: Map<string, Order>;
}

/** What the merchant's server asks of the connect server, with the key that no browser ever sees. */
export interface ConnectApi {
  createSession(customer: Customer): Promise<Session>;
  getConnection(id: string): Promise<MerchantConnection | undefined>;
}

/** The answers to a person at a checkout must come before they leave. */
const TIMEOUT_MS = 15_000;

export function createConnectApi(connectUrl: string, merchantKey: string, steps: StepLog): ConnectApi {
  async function call(method: string, path: string, shown: string, body?: object): Promise<Response> {
    const started = performance.now();
    const response = await fetch(`${connectUrl}${path}`, {
      method,
      headers: { Authorization: `Bearer ${merchantKey}`, ...(body ? { 'Content-Type': 'application/json' } : {}) },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const ms = Math.round(performance.now() - started);
    steps.add({ actor: 'shop', what: `${method} ${shown}`, status: response.status, ms });
    return response;
  }

  return {
    async createSession(customer) {
      const body = {
        customer_id: customer.id,
        // The shop's own record of who is signed in; the page has no say in it.
        identity: { first_name: 'Maya', last_name: 'Okafor', email: 'maya@okafor.example' },
      };
      const response = await call('POST', '/v1/sessions', '/v1/sessions', body);
      if (!response.ok) throw new Error(`The connect server made no session (${response.status}).`);
      return (await response.json()) as Session;
    },
    async getConnection(id) {
      const response = await call('GET', `/v1/connections/${encodeURIComponent(id)}`, '/v1/connections/{id}');
      if (response.status === 404) return undefined;
      if (!response.ok) throw new Error(`The connect server gave no connection (${response.status}).`);
      return (await response.json()) as MerchantConnection;
    },
  };
}

/** The shop's customers. In memory: a real shop has them in its database. */
export class Customers {
  readonly #byCookie = new Map<string, Customer>();
  /** In public mode the server invents the customer; the connection belongs to whoever hands it in first. */
  readonly #claimed = new Map<string, Customer>();

  find(cookie: string | undefined): Customer | undefined {
    return cookie === undefined ? undefined : this.#byCookie.get(cookie);
  }

  create(): { cookie: string; customer: Customer } {
    const cookie = randomUUID();
    const customer: Customer = { id: `cus_${randomUUID().slice(0, 8)}`, orders: new Map() };
    this.#byCookie.set(cookie, customer);
    return { cookie, customer };
  }

  /** The check without which anybody could pay from anybody's bank account: an id in a form proves nothing. */
  owns(customer: Customer, connection: MerchantConnection): boolean {
    if (connection.customer_id === customer.id) return true;
    if (!connection.customer_id.startsWith('anon_')) return false;
    const owner = this.#claimed.get(connection.id) ?? customer;
    this.#claimed.set(connection.id, owner);
    return owner === customer;
  }
}
