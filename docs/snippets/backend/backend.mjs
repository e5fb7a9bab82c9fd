// #region client
import { createClient } from 'finix-bank-connect/client';

const connect = createClient({
  endpoint: process.env.CONNECT_URL ?? 'https://connect.merchant.example',
  apiKey: process.env.MERCHANT_API_KEY,
});
// #endregion

// #region create
/** For this customer's page, and for no one else. */
export async function createSession(customer, order) {
  const session = await connect.sessions.create(
    {
      customer_id: customer.id,
      identity: { first_name: customer.firstName, last_name: customer.lastName, email: customer.email },
    },
    { idempotencyKey: `order-${order.id}-attempt-${order.attempt}` },
  );
  return session.client_secret;
}
// #endregion

// #region authorize
/** With a text that the customer must accept before the bank is connected. */
export async function createAuthorizedSession(customer) {
  const session = await connect.sessions.create({
    customer_id: customer.id,
    identity: { first_name: customer.firstName, last_name: customer.lastName, email: customer.email },
    authorization: {
      text: 'I authorize Acme to debit my bank account for my orders. I can revoke this by writing to help@acme.example.',
      version: '2026-11', // your name for this wording; the proof has it
    },
  });
  return session.client_secret;
}
// #endregion

// #region verify
/**
 * Rejects unless the connection exists, belongs to this customer and is active. Null while the bank confirms the
 * account: take the order, and charge it on the webhook `connection.active`.
 */
export async function instrumentToCharge(form, customer) {
  try {
    const connection = await connect.requireConnection(form.bank_account, { customerId: customer.id });
    return connection.payment_instrument; // PI…
  } catch (error) {
    if (error.connection?.status === 'pending_verification') return null;
    throw error;
  }
}
// #endregion
