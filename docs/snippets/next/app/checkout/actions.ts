// app/checkout/actions.ts
'use server';

import { randomUUID } from 'node:crypto';
import { ConnectionError } from 'finix-bank-connect/client';
import { connect, currentCustomer } from '@/lib/connect';

export async function pay(_before: string, form: FormData): Promise<string> {
  const { id: customerId } = await currentCustomer();
  try {
    // The id is a claim: this rejects unless the connection exists, is this customer's, and is active.
    const connection = await connect.requireConnection(form.get('bank_account'), { customerId });
    const { decision, reasons } = await connect.connections.check(connection.id, {
      amount: 4200, // cents
      client_transaction_id: randomUUID(), // of this attempt to charge
    });
    if (decision !== 'ok') return `Not charged: ${reasons.map(({ message }) => message).join(' ')}`;
    return `Charge ${connection.payment_instrument}: the check is ${decision}`;
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    // This customer's account, which the bank confirms first. Take the order, and charge it on connection.active.
    if (error.connection?.status === 'pending_verification') {
      return 'Order placed. Your bank confirms your account within 1–2 business days; then we charge it.';
    }
    return 'Please connect your bank again.';
  }
}
