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
    if (error instanceof ConnectionError) return 'Please connect your bank again.';
    throw error;
  }
}
