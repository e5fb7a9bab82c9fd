// src/lib/server/connect.ts

import { createClient } from 'finix-bank-connect/client';
import { env } from '$env/dynamic/private';

export const connect = createClient({
  endpoint: env.CONNECT_URL,
  apiKey: env.MERCHANT_API_KEY,
});

/** From your own login, never from the request. The test banks of Plaid belong to Alberta Charleson. */
export async function currentCustomer() {
  return { id: 'cus_1', firstName: 'Alberta', lastName: 'Charleson' };
}
