import { z } from 'zod';
import { body, countries, httpUrl, product, text, time } from './read.ts';

export const exchange = body({ public_token: text });
export const onItem = body({ access_token: text });
export const accounts = body({
  access_token: text,
  options: z.strictObject({ account_ids: z.array(z.string()).optional() }).optional(),
});
export const remove = body({
  access_token: text,
  reason_code: z
    .enum([
      'FRAUD_FIRST_PARTY',
      'FRAUD_FALSE_IDENTITY',
      'FRAUD_ABUSE',
      'FRAUD_OTHER',
      'CONNECTION_IS_NON_FUNCTIONAL',
      'OTHER',
    ])
    .optional(),
  reason_note: z.string().max(512).nullish(),
});
export const balance = body({
  access_token: text,
  options: z
    .strictObject({ account_ids: z.array(z.string()).optional(), min_last_updated_datetime: time.optional() })
    .optional(),
});
export const identityMatch = body({
  access_token: text,
  user: z
    .strictObject({
      legal_name: z.string().nullish(),
      phone_number: z.string().nullish(),
      email_address: z.string().nullish(),
      address: z
        .strictObject({
          street: z.string().nullish(),
          city: z.string().nullish(),
          region: z.string().nullish(),
          postal_code: z.string().nullish(),
          country: z.string().length(2, 'must be an ISO 3166-1 alpha-2 code').nullish(),
        })
        .nullish(),
    })
    .optional(),
  options: z.strictObject({ account_ids: z.array(z.string()).optional() }).optional(),
});
export const permissionsSet = body({ processor_token: text, products: z.array(product) });
export const permissionsGet = body({ processor_token: text });
export const processorToken = body({ access_token: text, account_id: text, processor: text });
export const verificationKey = body({ key_id: text });
export const fireWebhook = body({
  access_token: text,
  webhook_type: z.enum(['AUTH', 'ITEM']).optional(),
  webhook_code: z.enum([
    'DEFAULT_UPDATE',
    'NEW_ACCOUNTS_AVAILABLE',
    'SMS_MICRODEPOSITS_VERIFICATION',
    'USER_PERMISSION_REVOKED',
    'USER_ACCOUNT_REVOKED',
    'PENDING_DISCONNECT',
    'LOGIN_REPAIRED',
    'ERROR',
  ]),
});
export const webhookUpdate = body({ access_token: text, webhook: httpUrl.nullish() });
export const verificationStatus = body({
  access_token: text,
  account_id: text,
  verification_status: z.enum(['automatically_verified', 'verification_expired']),
});
export const institution = body({
  institution_id: text,
  country_codes: countries,
  options: z
    .strictObject({
      include_optional_metadata: z.boolean().optional(),
      include_status: z.boolean().optional(),
      include_auth_metadata: z.boolean().optional(),
      include_payment_initiation_metadata: z.boolean().optional(),
    })
    .optional(),
});
export const sandboxPublicToken = body({
  institution_id: text,
  initial_products: z.array(product).min(1),
  options: z
    .strictObject({
      webhook: httpUrl.optional(),
      override_username: z.string().optional(),
      override_password: z.string().optional(),
      // Of products that the simulator has no part in.
      transactions: z.unknown().optional(),
      statements: z.unknown().optional(),
      income_verification: z.unknown().optional(),
    })
    .optional(),
  user_token: z.string().optional(),
  user_id: z.string().optional(),
});
