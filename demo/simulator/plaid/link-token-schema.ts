import { z } from 'zod';
import { body, countries, httpUrl, product, text } from './read.ts';

const LANGUAGES = 'da nl en et fr de hi it lv lt no pl pt ro es sv vi'.split(' ');
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

const products = z.array(product).nullish();
/** Of a product or a flow that the simulator has no part in: taken as documented, and without effect. */
const unused = z.unknown().optional();
const filter = z.looseObject({ account_subtypes: z.array(text).min(1) }).optional();

const address = z.strictObject({
  street: z.string().nullish(),
  street2: z.string().nullish(),
  city: z.string().nullish(),
  region: z.string().nullish(),
  postal_code: z.string().nullish(),
  country: text,
});

const user = z.strictObject({
  client_user_id: text,
  legal_name: z.string().optional(),
  name: z.strictObject({ given_name: text, family_name: text }).nullish(),
  phone_number: z.string().optional(),
  phone_number_verified_time: z.iso.datetime({ offset: true }).nullish(),
  email_address: z.string().optional(),
  email_address_verified_time: z.iso.datetime({ offset: true }).nullish(),
  ssn: z.string().optional(),
  address: address.nullish(),
  date_of_birth: z.iso.date().nullish(),
  id_number: z.strictObject({ value: text, type: text }).nullish(),
});

/** `/link/token/create`: every field of Plaid's document. */
export const linkTokenCreate = body({
  // Plaid takes longer names than 30 characters, and shows another one instead.
  client_name: text,
  language: z.enum(LANGUAGES),
  country_codes: countries,
  user: user.optional(),
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
  android_package_name: text.optional(),
  institution_data: z.strictObject({ routing_number: z.string().optional() }).optional(),
  account_filters: z
    .strictObject({
      depository: z
        .strictObject({ account_subtypes: z.array(z.enum(SUBTYPES)).min(1), limited_purpose_types: unused })
        .optional(),
      credit: filter,
      loan: filter,
      investment: filter,
      other: filter,
    })
    .optional(),
  auth: z
    .strictObject({
      auth_type_select_enabled: z.boolean().optional(),
      automated_microdeposits_enabled: z.boolean().optional(),
      instant_match_enabled: z.boolean().optional(),
      same_day_microdeposits_enabled: z.boolean().optional(),
      instant_microdeposits_enabled: z.boolean().optional(),
      reroute_to_credentials: z.enum(['OFF', 'OPTIONAL', 'FORCED']).optional(),
      database_match_enabled: z.boolean().optional(),
      database_insights_enabled: z.boolean().optional(),
      flow_type: z.enum(['FLEXIBLE_AUTH']).optional(),
      sms_microdeposits_verification_enabled: z.boolean().optional(),
    })
    .optional(),
  update: z
    .strictObject({
      account_selection_enabled: z.boolean().optional(),
      reauthorization_enabled: z.boolean().optional(),
      user: z.boolean().optional(),
      item_ids: z.array(text).nullish(),
    })
    .optional(),
  hosted_link: z
    .strictObject({
      delivery_method: z.enum(['sms', 'email']).optional(),
      completion_redirect_uri: z.string().optional(),
      // Plaid's limit: 21 days.
      url_lifetime_seconds: z.int().positive().max(1_814_400).optional(),
      is_mobile_app: z.boolean().optional(),
    })
    .optional(),
  access_tokens: z.array(z.string()).optional(),
  card_switch: unused,
  eu_config: unused,
  institution_id: z.string().optional(),
  payment_configuration: unused,
  payment_initiation: unused,
  employment: unused,
  income_verification: unused,
  base_report: unused,
  credit_partner_insights: unused,
  cra_options: unused,
  consumer_report_permissible_purpose: unused,
  transfer: unused,
  identity_verification: unused,
  statements: unused,
  third_party_user_token: z.string().optional(),
  investments: unused,
  investments_auth: unused,
  transactions: unused,
  cashflow_report: unused,
  cra_enabled: z.boolean().optional(),
  identity: unused,
  financekit_supported: z.boolean().optional(),
  enable_multi_item_link: z.boolean().optional(),
  user_token: z.string().optional(),
});

export const linkTokenGet = body({ link_token: text });
