import type { MerchantConnection } from '../../widget/contract.ts';
import { type MerchantApi, TransferRefused } from './merchant-api.ts';
import type { Merchant } from './merchants.ts';
import { isUnconfirmed, type Order } from './order.ts';
import { bankName, type Customer } from './visits.ts';

/** A connection that the form named, and why it is not taken. */
export type Judgement = { connection: MerchantConnection } | { refusal: 'missing' | 'foreign' | 'unusable' };

/** The check without which any person could pay from any bank account: an id in a form proves nothing. */
export async function judge(api: MerchantApi, customer: Customer, id: unknown): Promise<Judgement> {
  if (typeof id !== 'string' || !id) return { refusal: 'missing' };
  const connection = await api.getConnection(id);
  if (!connection || !isOwn(api, customer, connection)) return { refusal: 'foreign' };
  if (connection.status !== 'active' && connection.status !== 'pending_verification') return { refusal: 'unusable' };
  return { connection };
}

function isOwn(api: MerchantApi, customer: Customer, connection: MerchantConnection): boolean {
  if (connection.customer_id === customer.id) return true;
  if (!connection.customer_id.startsWith('anon_')) return false;
  const owner = api.claims.get(connection.id) ?? customer.id;
  api.claims.set(connection.id, owner);
  return owner === customer.id;
}

export function placeOrder(customer: Customer, merchant: Merchant, connection: MerchantConnection): Order {
  const order: Order = {
    id: `${merchant.orderPrefix}-${1042 + customer.orders.length}`,
    connection: connection.id,
    bank: bankName(connection),
    state: 'held',
    check: null,
    transfer: null,
    attempts: 0,
    returned: null,
    problem: null,
  };
  customer.orders.push(order);
  customer.connection = connection;
  return order;
}

/**
 * Asks the check, and moves the money only when it says yes. Each step is one call that the audience sees.
 * @throws ApiError when the connect server can't be asked
 */
export async function charge(
  api: MerchantApi,
  customer: Customer,
  { amountCents, purpose }: Merchant,
  order: Order,
  connection: MerchantConnection,
): Promise<void> {
  customer.connection = connection;
  order.attempts += 1;
  const attempt = `${customer.id}-${order.id}-${order.attempts}`;
  const { decision, reasons } = await api.check(order.connection, {
    amount: amountCents,
    client_transaction_id: attempt,
  });
  order.check = { decision, reasons };
  order.returned = null;
  order.problem = null;
  order.transfer = null;
  if (decision !== 'ok' || connection.payment_instrument === null) {
    order.state = decision === 'stop' && !isUnconfirmed(order) ? 'stopped' : 'held';
    return;
  }
  const made = await api
    .transfer({
      amount: amountCents,
      instrument: connection.payment_instrument,
      direction: purpose === 'payout' ? 'payout' : 'debit',
      idempotencyId: attempt,
    })
    .catch((error: unknown) => {
      if (!(error instanceof TransferRefused)) throw error;
      order.problem = error.message;
    });
  if (!made) {
    order.state = 'held';
    return;
  }
  order.transfer = made.id;
  order.state = 'sent';
}

/** What the connect server's webhook says about the customer's latest order. */
export function applyEvent(
  customer: Customer,
  type: string,
  connection: MerchantConnection,
): { chargeNow: Order | null } {
  customer.connection = connection;
  const order = customer.orders.findLast(({ connection: id }) => id === connection.id);
  if (!order) return { chargeNow: null };
  const { last_return } = connection;
  if (type === 'connection.returned' && last_return && last_return.transfer === order.transfer) {
    order.state = 'returned';
    order.returned = last_return.code ?? last_return.failure_code;
  }
  // The bank had yet to confirm the account when the order was placed.
  const isWaiting = order.state === 'held' && isUnconfirmed(order);
  return { chargeNow: connection.status === 'active' && isWaiting ? order : null };
}
