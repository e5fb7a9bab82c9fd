import { z } from 'zod';
import { body, text, time } from './read.ts';

const clientTransactionId = text.max(36);
const nullable = z.string().nullish();

export const signalEvaluate = body({
  access_token: text,
  account_id: text,
  client_transaction_id: clientTransactionId,
  // US dollars, such as 102.05.
  amount: z.number().positive(),
  user_present: z.boolean().nullish(),
  client_user_id: z.string().optional(),
  is_recurring: z.boolean().nullish(),
  default_payment_method: z.enum(['SAME_DAY_ACH', 'STANDARD_ACH', 'MULTIPLE_PAYMENT_METHODS']).nullish(),
  user: z
    .strictObject({
      name: z
        .strictObject({
          prefix: nullable,
          given_name: nullable,
          middle_name: nullable,
          family_name: nullable,
          suffix: nullable,
        })
        .nullish(),
      phone_number: nullable,
      email_address: nullable,
      address: z
        .strictObject({
          street: nullable,
          city: nullable,
          region: nullable,
          postal_code: nullable,
          country: nullable,
        })
        .nullish(),
    })
    .optional(),
  device: z.strictObject({ ip_address: nullable, user_agent: nullable }).optional(),
  risk_profile_key: nullable,
  ruleset_key: nullable,
});

export const signalDecision = body({
  client_transaction_id: clientTransactionId,
  initiated: z.boolean(),
  days_funds_on_hold: z.int().min(0).nullish(),
  decision_outcome: z.enum(['APPROVE', 'REVIEW', 'REJECT', 'TAKE_OTHER_RISK_MEASURES', 'NOT_EVALUATED']).nullish(),
  payment_method: z.enum(['SAME_DAY_ACH', 'NEXT_DAY_ACH', 'STANDARD_ACH', 'MULTIPLE_PAYMENT_METHODS']).nullish(),
  amount_instantly_available: z.number().nullish(),
  submitted_at: time.optional(),
});

export const signalReturn = body({
  client_transaction_id: clientTransactionId,
  return_code: z.string().regex(/^R\d\d$/, 'must be an ACH return code such as R01'),
  returned_at: time.nullish(),
});
