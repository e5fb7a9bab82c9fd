import { z } from 'zod';
import type { AuthorizationReceipt, Connection, MerchantConnection } from '../../widget/contract.ts';
import { holderCategory, ownerMatch, verificationMethod } from '../records/verification.ts';
import { CONNECTION_STATUSES } from '../storage/statuses.ts';

/** Connections as they travel, for the page and for the merchant. */

const text = z.string();
const time = z.iso.datetime();

export const authorizationReceipt = z.strictObject({
  text,
  version: text,
  text_sha256: text,
  language: text,
  accepted_at: time,
  ip: text.nullable(),
  user_agent: text.nullable(),
}) satisfies z.ZodType<AuthorizationReceipt>;

const connectionFields = {
  id: text,
  object: z.literal('connection'),
  status: z.enum(CONNECTION_STATUSES),
  payment_instrument: text.nullable(),
  institution: z.strictObject({ id: text.nullable(), name: text.nullable() }),
  account: z.strictObject({
    name: text.nullable(),
    mask: text.nullable(),
    type: text.nullable(),
    subtype: text.nullable(),
  }),
  created_at: time,
  updated_at: time,
};

export const connection = z.strictObject(connectionFields) satisfies z.ZodType<Connection>;

export const merchantConnection = z.strictObject({
  ...connectionFields,
  customer_id: text,
  merchant_id: text.nullable(),
  finix_identity: text.nullable(),
  previous_payment_instrument: text.nullable(),
  fingerprint: text.nullable(),
  bank_account_validation_check: text.nullable(),
  authorization: authorizationReceipt.nullable(),
  metadata: z.record(text, text),
  verification: z.strictObject({
    method: verificationMethod.nullable(),
    verified_at: time.nullable(),
    holder_category: holderCategory.nullable(),
    owner: z.strictObject({
      status: ownerMatch,
      name: ownerMatch,
      email: ownerMatch,
      phone: ownerMatch,
      address: ownerMatch,
      checked_at: time.nullable(),
    }),
  }),
  last_return: z
    .strictObject({
      code: text.nullable(),
      failure_code: text.nullable(),
      transfer: text,
      amount: z.int().nullable(),
      currency: text.nullable(),
      at: time,
    })
    .nullable(),
  consent_expires_at: time.nullable(),
}) satisfies z.ZodType<MerchantConnection>;
