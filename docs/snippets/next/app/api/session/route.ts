// app/api/session/route.ts
import { connect, currentCustomer } from '@/lib/connect';

export async function POST() {
  const customer = await currentCustomer();
  const { client_secret } = await connect.sessions.create({
    customer_id: customer.id,
    identity: { first_name: customer.firstName, last_name: customer.lastName },
  });
  return Response.json({ client_secret });
}
