declare const customerOf: (request?: Request) => Promise<{ id: string; firstName: string; lastName: string }>;
declare const charge: (instrument: string) => Promise<void>;

import { createClient } from 'finix-bank-connect/client';

declare const process: { env: Record<string, string> };

// #region route
// app/api/session/route.ts
export async function POST(request: Request) {
  const customer = await customerOf(request); // from your own login, never from the body
  const session = await connect.sessions.create({
    customer_id: customer.id,
    identity: { first_name: customer.firstName, last_name: customer.lastName },
  });
  return Response.json({ client_secret: session.client_secret });
}
// #endregion

// #region action
// app/checkout/actions.ts, a file that begins with 'use server'
export async function pay(form: FormData) {
  const customer = await customerOf();
  const connection = await connect.requireConnection(form.get('bank_account'), { customerId: customer.id });
  await charge(connection.payment_instrument);
}
// #endregion

// #region client
// lib/connect.ts, for the server only
const connect = createClient({
  endpoint: 'https://connect.merchant.example',
  apiKey: process.env['MERCHANT_API_KEY'] ?? '',
});
// #endregion
