import { createClient } from 'finix-bank-connect/client';

const connect = createClient({ endpoint: process.env.CONNECT_URL, apiKey: process.env.MERCHANT_API_KEY });

// #region create
export async function sendLink(customer, send) {
  const link = await connect.links.create({
    customer_id: customer.id,
    purpose: 'debit',
    identity: { first_name: customer.firstName, last_name: customer.lastName, email: customer.email },
    expires_in_days: 14, // 1 to 21; 7 when left out
    return_url: 'https://shop.example/thanks',
  });
  await send(link.url); // https://connect.merchant.example/c/… , in this answer only
}
// #endregion
