// server.mjs: the page and the back end of a shop. Run it with: node server.mjs
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { createClient } from 'finix-bank-connect/client';

const { CONNECT_URL, MERCHANT_API_KEY, PORT = '8000' } = process.env;
const connect = createClient({ endpoint: CONNECT_URL, apiKey: MERCHANT_API_KEY });

// From your own login, never from the request. The test banks of Plaid belong to Alberta Charleson.
const customer = { id: 'cus_1', firstName: 'Alberta', lastName: 'Charleson' };

const routes = {
  'GET /': async () => [200, 'text/html', await readFile('index.html', 'utf8')],

  'POST /api/session': async () => {
    const { client_secret } = await connect.sessions.create({
      customer_id: customer.id,
      identity: { first_name: customer.firstName, last_name: customer.lastName },
      // Before you debit real customers, ask for their consent: authorization: { text, version }
    });
    return [200, 'application/json', JSON.stringify({ client_secret })];
  },

  'POST /checkout': async (form) => {
    // The id is a claim: this rejects unless the connection exists, is this customer's, and is active.
    const connection = await connect.requireConnection(form.get('bank_account'), { customerId: customer.id });
    const { decision, reasons } = await connect.connections.check(connection.id, {
      amount: 4200, // cents
      client_transaction_id: randomUUID(), // of this attempt to charge
    });
    if (decision !== 'ok')
      return [402, 'text/plain', `Not charged: ${reasons.map(({ message }) => message).join(' ')}`];
    return [200, 'text/plain', `Charge ${connection.payment_instrument}: the check is ${decision}`];
  },
};

async function answer(request, response) {
  const route = routes[`${request.method} ${request.url}`];
  if (!route) return response.writeHead(404).end();
  const answered = text(request).then((form) => route(new URLSearchParams(form)));
  const [status, type, body] = await answered.catch(explain);
  response.writeHead(status, { 'Content-Type': `${type}; charset=utf-8` }).end(body);
}

function explain(error) {
  // This customer's account, which the bank confirms first. Take the order, and charge it on connection.active.
  if (error.connection?.status === 'pending_verification') {
    const body = 'Order placed. Your bank confirms your account within 1–2 business days; then we charge it.';
    return [202, 'text/plain', body];
  }
  console.error(error);
  if (error.name === 'ConnectionError') return [402, 'text/plain', 'Please connect your bank again.'];
  return [502, 'text/plain', 'Please try again.'];
}

createServer(answer).listen(Number(PORT), () => console.log(`http://localhost:${PORT}`));
