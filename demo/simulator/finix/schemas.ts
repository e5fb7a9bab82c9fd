import { z } from 'zod';
import { invalidField } from './errors.ts';

// Finix's limits, in characters.
export const string = (max: number) =>
  z.string().min(1, 'must not be blank').max(max, `must be at most ${max} characters`);

const address = z
  .strictObject({
    line1: string(35).nullish(),
    line2: string(35).nullish(),
    city: string(20).nullish(),
    region: z
      .string()
      .regex(/^[A-Z]{2}$/, 'must be a 2-letter code')
      .nullish(),
    postal_code: string(7).nullish(),
    country: z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be an ISO 3166-1 alpha-3 code')
      .nullish(),
  })
  .nullish();

export const tags = z
  .record(string(40), z.string().max(500, 'must be at most 500 characters'))
  .refine((value) => Object.keys(value).length <= 50, 'must be at most 50 tags')
  .nullish();

const entity = z.strictObject({
  first_name: string(20).nullish(),
  last_name: string(20).nullish(),
  title: string(60).nullish(),
  email: z.email('must be an email address').max(100, 'must be at most 100 characters').nullish(),
  // No limit is published for a phone number, a type and a descriptor: 255 is Finix's longest id.
  phone: string(255).nullish(),
  personal_address: address,
  business_name: string(120).nullish(),
  doing_business_as: string(60).nullish(),
  // Finix's page names ten characters, and its own sample has `+1 (408) 756-4497`: ten national digits, however
  // written.
  business_phone: z
    .string()
    .refine((text) => text.replace(/\D/g, '').replace(/^1(?=\d{10}$)/, '').length === 10, 'must have ten digits')
    .nullish(),
  business_address: address,
  business_type: string(255).nullish(),
  default_statement_descriptor: string(255).nullish(),
});

const type = z.enum(['PERSONAL', 'BUSINESS']).nullish();
const identity_roles = z
  .array(z.enum(['APPLICATION_OWNER', 'BENEFICIAL_OWNER', 'BUYER', 'PLATFORM_OWNER', 'RECIPIENT', 'SELLER', 'SENDER']))
  .nullish();

export const createIdentity = z.strictObject({ entity, identity_roles, type, tags });
export const updateIdentity = z.strictObject({ entity: entity.optional(), identity_roles, type, tags });

export const createInstrument = z.strictObject({
  type: z.literal('BANK_ACCOUNT', 'the simulator makes bank accounts only'),
  identity: string(255),
  third_party: z.literal('PLAID', 'the simulator makes instruments of Plaid processor tokens only'),
  third_party_token: string(255),
  name: string(60).nullish(),
  tags,
  attempt_bank_account_validation_check: z.boolean().nullish(),
});
export const updateInstrument = z.strictObject({
  enabled: z.boolean().optional(),
  name: string(60).nullish(),
  tags,
  attempt_bank_account_validation_check: z.boolean().optional(),
});

/** Checks a body; the first thing that is wrong is refused by name, as Finix does. */
export function read<T>(schema: z.ZodType<T>, json: unknown): T {
  const result = schema.safeParse(json ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const key = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const field = [...(issue?.path ?? []), ...key].map(String).join('.');
  throw invalidField(
    field,
    key.length > 0 ? `${field} is not a known field` : `${field} ${issue?.message ?? 'is invalid'}`,
  );
}
