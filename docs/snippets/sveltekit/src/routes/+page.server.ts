// src/routes/+page.server.ts
import { ConnectionError } from 'finix-bank-connect/client';
import { connect, currentCustomer } from '$lib/server/connect';

export const actions = {
  default: async ({ request }: { request: Request }) => {
    const { id: customerId } = await currentCustomer();
    const form = await request.formData();
    try {
      // The id is a claim: this rejects unless the connection exists, is this customer's, and is active.
      const connection = await connect.requireConnection(form.get('bank_account'), { customerId });
      const { decision, reasons } = await connect.connections.check(connection.id, {
        amount: 4200, // cents
        client_transaction_id: crypto.randomUUID(), // of this attempt to charge
      });
      if (decision !== 'ok') return { result: `Not charged: ${reasons.map(({ message }) => message).join(' ')}` };
      return { result: `Charge ${connection.payment_instrument}: the check is ${decision}` };
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      // This customer's account, which the bank confirms first. Take the order, and charge it on connection.active.
      if (error.connection?.status === 'pending_verification') {
        return { result: 'Order placed. Your bank confirms your account within 1–2 business days; then we charge it.' };
      }
      return { result: 'Please connect your bank again.' };
    }
  },
};
