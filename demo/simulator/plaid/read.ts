import { z } from 'zod';
import { plaidRefusal } from './errors.ts';

/** Plaid's own list of products. */
export const PRODUCTS = [
  'assets auth balance balance_plus beacon identity identity_match investments investments_auth liabilities payment_initiation',
  'identity_verification transactions credit_details income income_verification standing_orders transfer employment',
  'recurring_transactions transactions_refresh signal statements processor_payments processor_identity profile cra_base_report',
  'cra_income_insights cra_partner_insights cra_network_insights cra_cashflow_insights cra_monitoring cra_lend_score',
  'cra_plaid_credit_score layer pay_by_bank protect_linked_bank protect_transactions',
].flatMap((line) => line.split(' '));
const COUNTRIES = 'US GB ES NL FR IE CA DE IT PL DK NO SE EE LT LV PT BE AT FI'.split(' ');

export const text = z.string().min(1);
export const httpUrl = z.string().refine((value) => URL.canParse(value) && /^https?:/.test(value), 'must be a URL');
export const product = z.enum(PRODUCTS);
export const countries = z.array(z.enum(COUNTRIES)).min(1);
export const time = z.iso.datetime({ offset: true });

/** Credentials may also come in the body; they are looked at before the schema. */
export const body = <T extends z.core.$ZodShape>(shape: T) =>
  z.strictObject({ client_id: z.string().optional(), secret: z.string().optional(), ...shape });

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
