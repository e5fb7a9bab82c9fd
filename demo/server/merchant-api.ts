import { createClient } from '../../widget/client.ts';
import type { Check, Link, MerchantConnection, Session } from '../../widget/contract.ts';
import type { Merchant } from './merchants.ts';
import type { Recorder } from './recorder.ts';
import type { Customer } from './visits.ts';

/**
 * What a merchant's server asks: of the connect server with the key that no browser sees, and of Finix with the
 * merchant's own account.
 */
export interface MerchantApi {
  createSession(customer: Pick<Customer, 'id'>, merchant: Merchant): Promise<Session>;
  repairSession(customer: Customer, connection: string): Promise<Session>;
  getConnection(id: string): Promise<MerchantConnection | undefined>;
  check(connection: string, request: { amount: number; client_transaction_id: string }): Promise<Check>;
  repairLink(customer: Customer, merchant: Merchant, connection: string): Promise<Link & { url: string; qr: string }>;
  transfer(request: TransferRequest): Promise<Transfer>;
  /**
   * In public mode the server invents the customer: whose the connection is, by the first customer who handed it in.
   */
  claims: Map<string, string>;
}

export interface TransferRequest {
  amount: number;
  /** The payment instrument. */
  instrument: string;
  /** A debit takes from it, a payout goes to it. */
  direction: 'debit' | 'payout';
  /** The same one never moves money twice. */
  idempotencyId: string;
}

export interface Transfer {
  id: string;
  state: string;
}

export interface FinixAccount {
  baseUrl: string;
  username: string;
  password: string;
  /** The merchant at Finix whose money it becomes; undefined: this demo has none, and moves no money. */
  merchant: string | undefined;
}

export interface MerchantApiOptions {
  connectUrl: string;
  merchantKey: string;
  finix: FinixAccount;
  /** The platform's when left out. */
  fetch?: typeof fetch;
  /** Writes down the calls to Finix where the simulator does not. */
  recorder: Recorder | undefined;
}

/** The answers to a person at a checkout must come before they leave. */
const TIMEOUT_MS = 15_000;
/** A bill of the demo is shown for minutes, and a guest's phone must not keep a working link. */
const LINK_DAYS = 1;

export class TransferRefused extends Error {
  override readonly name = 'TransferRefused';
}

export function createMerchantApi(options: MerchantApiOptions): MerchantApi {
  const { connectUrl, merchantKey, finix, recorder } = options;
  // Called without a receiver: browsers refuse a fetch that is called as a method.
  const send: typeof fetch = options.fetch ?? ((input, init) => fetch(input, init));
  const client = createClient({ endpoint: connectUrl, apiKey: merchantKey, timeoutMs: TIMEOUT_MS, fetch: send });
  return {
    claims: new Map(),
    createSession(customer, merchant) {
      const { key, name, purpose, person, authorization, ownership, account_selection, language } = merchant;
      return client.sessions.create({
        customer_id: customer.id,
        merchant: { id: key, name },
        purpose,
        ownership,
        account_selection,
        language,
        // The simulator's name of a customization that lets several accounts be picked.
        link_customization: account_selection === 'multiple' ? 'multiple' : undefined,
        authorization,
        // The merchant's own record of who is signed in; the page has no say in it.
        identity: {
          first_name: person.firstName,
          last_name: person.lastName,
          email: person.owner.email,
          phone: person.owner.phone,
          personal_address: {
            line1: person.owner.address.street,
            city: person.owner.address.city,
            region: person.owner.address.region,
            postal_code: person.owner.address.postal_code,
            country: 'USA',
          },
        },
      });
    },
    repairSession: (customer, connection) => client.sessions.create({ customer_id: customer.id, connection }),
    async getConnection(id) {
      try {
        return await client.connections.retrieve(id);
      } catch (error) {
        if ((error as { code?: string }).code === 'not_found') return undefined;
        throw error;
      }
    },
    check: (connection, request) => client.connections.check(connection, { currency: 'USD', ...request }),
    async repairLink(customer, merchant, connection) {
      const link = await client.links.create({
        customer_id: customer.id,
        connection,
        expires_in_days: LINK_DAYS,
        merchant: { id: merchant.key, name: merchant.name },
      });
      const qr = await send(`${connectUrl}/v1/links/${link.id}/qr.svg`, {
        headers: { Authorization: `Bearer ${merchantKey}` },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return { ...link, qr: qr.ok ? await qr.text() : '' };
    },
    async transfer({ amount, instrument, direction, idempotencyId }) {
      if (finix.merchant === undefined)
        throw new TransferRefused('DEMO_FINIX_MERCHANT is not set, so no payment was made.');
      const body = JSON.stringify({
        amount,
        currency: 'USD',
        merchant: finix.merchant,
        [direction === 'debit' ? 'source' : 'destination']: instrument,
        idempotency_id: idempotencyId,
      });
      const headers = {
        authorization: `Basic ${btoa(`${finix.username}:${finix.password}`)}`,
        'content-type': 'application/json',
        'finix-version': '2022-02-01',
      };
      const sent = recorder?.sent({ from: 'shop', to: 'finix', method: 'POST', path: '/transfers', headers, body });
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await send(`${finix.baseUrl}/transfers`, { method: 'POST', headers, body, signal });
      const text = await response.text();
      sent?.ended({ status: response.status, headers: Object.fromEntries(response.headers), body: text });
      const { id, state } = JSON.parse(text) as Partial<Transfer>;
      if (!response.ok || !id) throw new TransferRefused(`Finix refused the transfer (${response.status}).`);
      return { id, state: state ?? 'PENDING' };
    },
  };
}
