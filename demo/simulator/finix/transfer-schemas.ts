import { z } from 'zod';
import { string, tags } from './schemas.ts';

export { read } from './schemas.ts';

const currency = z.literal('USD', 'the simulator has US dollars only');
const amount = z.int().positive();

export const createTransfer = z.strictObject({
  amount,
  currency,
  merchant: string(255),
  source: string(255).nullish(),
  destination: string(255).nullish(),
  fee: z.int().min(0).optional(),
  fraud_session_id: string(255).nullish(),
  idempotency_id: string(255).nullish(),
  operation_key: string(255).nullish(),
  statement_descriptor: string(20).nullish(),
  tags,
});

export const updateTransfer = z.strictObject({ tags });

export const createReversal = z.strictObject({
  amount: amount.optional(),
  refund_amount: amount.optional(),
  currency: currency.optional(),
  idempotency_id: string(255).nullish(),
  operation_key: string(255).nullish(),
  tags,
});
