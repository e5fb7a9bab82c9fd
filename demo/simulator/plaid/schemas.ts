import { z } from 'zod';
import { plaidRefusal } from './errors.ts';

// Plaid's own lists, as far as the simulator takes part in them.
const LANGUAGES = 'da nl en et fr de hi it lv lt no pl pt ro es sv vi'.split(' ');
const COUNTRIES = 'US GB ES NL FR IE CA DE IT PL DK NO SE EE LT LV PT BE AT FI'.split(' ');
const PRODUCTS = [
  'assets auth identity identity_match investments liabilities transactions transfer signal statements',
  'processor_payments processor_identity',
].flatMap((line) => line.split(' '));
const SUBTYPES = [
  'checking',
  'savings',
  'hsa',
  'cd',
  'money market',
  'paypal',
  'prepaid',
  'cash management',
  'ebt',
  'all',
];

const text = z.string().min(1);
const httpUrl = z.string().refine((value) => URL.canParse(value) && /^https?:/.test(value), 'must be a URL');
const products = z.array(z.enum(PRODUCTS)).nullish();
const countries = z.array(z.enum(COUNTRIES)).min(1);
/** Credentials may also come in the body; they are looked at before the schema. */
const body = <T extends z.core.$ZodShape>(shape: T) =>
  z.strictObject({ client_id: z.string().optional(), secret: z.string().optional(), ...shape });

const address = z.strictObject({
  street: z.string().nullish(),
  street2: z.string().nullish(),
  city: z.string().nullish(),
  region: z.string().nullish(),
  postal_code: z.string().nullish(),
  country: text,
});

export const linkTokenCreate = body({
  client_name: text.max(30, 'must be at most 30 characters'),
  language: z.enum(LANGUAGES),
  country_codes: countries,
  user: z
    .strictObject({
      client_user_id: text,
      legal_name: z.string().optional(),
      name: z.strictObject({ given_name: text, family_name: text }).optional(),
      phone_number: z.string().optional(),
      email_address: z.string().optional(),
      address: address.optional(),
      date_of_birth: z.string().nullish(),
    })
    .optional(),
  user_id: text.optional(),
  products,
  required_if_supported_products: products,
  optional_products: products,
  additional_consented_products: products,
  webhook: httpUrl.optional(),
  access_token: text.nullish(),
  link_customization_name: z.string().optional(),
  appearance_mode: z.enum(['LIGHT', 'DARK', 'SYSTEM']).nullish(),
  redirect_uri: z.string().optional(),
  institution_data: z.strictObject({ routing_number: z.string().optional() }).optional(),
  account_filters: z
    .strictObject({ depository: z.strictObject({ account_subtypes: z.array(z.enum(SUBTYPES)).min(1) }).optional() })
    .optional(),
  auth: z
    .strictObject({
      auth_type_select_enabled: z.boolean().optional(),
      automated_microdeposits_enabled: z.boolean().optional(),
      instant_match_enabled: z.boolean().optional(),
      same_day_microdeposits_enabled: z.boolean().optional(),
      instant_microdeposits_enabled: z.boolean().optional(),
      reroute_to_credentials: z.enum(['OFF', 'OPTIONAL', 'FORCED']).optional(),
      sms_microdeposits_verification_enabled: z.boolean().optional(),
    })
    .optional(),
  update: z
    .strictObject({
      account_selection_enabled: z.boolean().optional(),
      reauthorization_enabled: z.boolean().optional(),
    })
    .optional(),
  hosted_link: z
    .strictObject({
      completion_redirect_uri: z.string().optional(),
      // Plaid's limit: 21 days.
      url_lifetime_seconds: z.int().positive().max(1_814_400).optional(),
      is_mobile_app: z.boolean().optional(),
    })
    .optional(),
});

export const linkTokenGet = body({ link_token: text });
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
  initial_products: z.array(z.enum(PRODUCTS)).min(1),
  options: z
    .strictObject({
      webhook: httpUrl.optional(),
      override_username: z.string().optional(),
      override_password: z.string().optional(),
    })
    .optional(),
});

/** Checks a body as Plaid does: what is unknown first, then what is missing, then what is wrong. */
export function read<T>(schema: z.ZodType<T>, json: unknown): T {
  const result = schema.safeParse(json ?? {});
  if (result.success) return result.data;
  const { issues } = result.error;
  const at = (path: PropertyKey[]): string => path.map(String).join('.');
  const unknown = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => at([...issue.path, key])) : [],
  );
  if (unknown.length > 0) {
    throw plaidRefusal(
      'UNKNOWN_FIELDS',
      `the following fields are not recognized by this endpoint: ${unknown.join(', ')}`,
    );
  }
  const missing = issues.filter((issue) => valueAt(json, issue.path) === undefined).map((issue) => at(issue.path));
  if (missing.length > 0) {
    throw plaidRefusal('MISSING_FIELDS', `the following required fields are missing: ${missing.join(', ')}`);
  }
  const [first] = issues;
  throw plaidRefusal('INVALID_FIELD', `${at(first?.path ?? [])}: ${first?.message ?? 'invalid'}`);
}

function valueAt(json: unknown, path: PropertyKey[]): unknown {
  let value: unknown = json;
  for (const key of path) {
    if (value === null || typeof value !== 'object') return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}
