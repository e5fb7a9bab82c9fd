// lib/connect.ts
import { createClient } from 'finix-bank-connect/client';

export const connect = createClient({
  endpoint: process.env.CONNECT_URL,
  apiKey: process.env.MERCHANT_API_KEY, // on the server only: never NEXT_PUBLIC_
});

/** From your own login, never from the request. The test banks of Plaid belong to Alberta Charleson. */
export async function currentCustomer() {
  return { id: 'cus_1', firstName: 'Alberta', lastName: 'Charleson' };
}
