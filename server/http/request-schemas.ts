import { z } from 'zod';
import type {
  CheckRequest,
  CompleteRequest,
  CreateLinkRequest,
  CreatePublicSessionRequest,
  CreateSessionRequest,
  LinkExitRequest,
  LinkTokenRequest,
} from '../../widget/contract.ts';
import { isLocalOrLoopbackHost } from '../hosts.ts';
import { isErased } from '../ids.ts';
import { origin } from '../settings/schemas.ts';
import { OWNERSHIP_CHECKS } from '../settings/table.ts';
import {
  CONNECTION_STATUSES,
  DELIVERY_STATUSES,
  LINK_STATUSES,
  PURPOSES,
  SESSION_STATUSES,
} from '../storage/statuses.ts';

/** Without control characters, and with what can't be written in UTF-8 replaced as every later reader would. */
function clean(text: string): string {
  return text.toWellFormed().replace(/\p{Cc}/gu, '');
}

/** What UTF-8 and both databases can hold: no half of a surrogate pair, no NUL. */
const isStorable = (text: string) => text.isWellFormed() && !text.includes('\0');

/** Text of one line: no control characters, which would break logs and headers. */
const line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}]*$/u, 'must have no control characters')
    .refine(isStorable, 'must be text in Unicode');

/** What a customer reads, or Finix knows a person by: blanks alone name no one, and ask to agree to nothing. */
const HAS_TEXT = /\S/;
const NOT_BLANK = 'must not be blank';

const writtenLine = (max: number) => line(max).regex(HAS_TEXT, NOT_BLANK);

const language = z
  .string()
  // Long enough for every tag in use, extensions included.
  .max(100)
  .regex(/^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$/, 'must be a BCP 47 language tag such as en or pt-BR');

// Lengths are Finix's limits for an identity (docs.finix.com, Identities).
const address = z
  .strictObject({
    line1: writtenLine(35),
    line2: writtenLine(35),
    city: writtenLine(20),
    region: z.string().regex(/^[A-Z]{2}$/, 'must be two capital letters'),
    postal_code: writtenLine(7),
    country: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 3166-1 alpha-3 code such as USA'),
  })
  .partial();

const firstName = writtenLine(20);
const lastName = writtenLine(20);
const email = z.email().max(100);

/** Finix takes ten digits; its own examples are written like `+1 (408) 756-4497`. */
const businessPhone = z
  .string()
  // The digits, and separators between them.
  .max(30)
  .regex(
    /^(?:\+?1)?(?:[ ().-]*[0-9]){10}$/,
    'must be a phone number with ten national digits, such as +1 (408) 756-4497',
  )
  .transform((text) => text.replace(/[^0-9]/g, '').slice(-10));

const identity = z
  .strictObject({
    first_name: firstName,
    last_name: lastName,
    email,
    // Finix publishes no length; E.164 with punctuation fits into 20.
    phone: z.string().regex(/^\+?[0-9 ().-]{7,20}$/, 'must be a phone number'),
    personal_address: address,
    business_name: writtenLine(120),
    doing_business_as: writtenLine(60),
    business_phone: businessPhone,
    business_address: address,
  })
  .partial();

// The limits of Finix's tags, so that metadata could travel there.
const metadata = z
  .record(line(40), z.string().max(500).refine(isStorable, 'must be text in Unicode, without NUL'))
  .refine((value) => Object.keys(value).length <= 50, 'must have at most 50 entries');

/** An address is parsed without the control characters and spaces in it, but kept with them. */
const isPlain = (text: string) => isStorable(text) && !/[\p{Cc}\s]/u.test(text);
const NOT_PLAIN = 'must have no spaces or control characters';

const httpsUrl = z
  .url({ protocol: /^https$/, hostname: z.regexes.domain })
  .max(2048)
  .refine(isPlain, NOT_PLAIN)
  .refine(hasNoUser, 'must have no user name or password');

/** Where a customer is sent at the end: a page, https unless it is on this machine. */
const returnUrl = z
  .url()
  .max(2048)
  .refine(isPlain, NOT_PLAIN)
  .refine(isPage, 'must be an https address without user name or password');

/** Checks after a failed one still run: what is no URL has been refused already. */
function hasNoUser(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}

function isPage(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { protocol, hostname } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && isLocalOrLoopbackHost(hostname));
  return isSafe && hasNoUser(text);
}

/** Of a platform: one of its merchants. */
const merchant = z.strictObject({
  id: line(128),
  // Longer names make Link show "This Application".
  name: writtenLine(30),
  logo_url: httpsUrl.optional(),
  accent: z
    .string()
    .regex(/^#[0-9a-f]{6}$/i, 'must be a color such as #17483f')
    .optional(),
  support_url: httpsUrl.optional(),
});

/** In a path, these two are no name but a way: a customer of that id could never be erased. */
const customerIdOf = line(128)
  .refine((text) => text !== '.' && text !== '..', 'must not be . or ..')
  .refine((text) => !isErased(text), 'must not have the form of the ids that replace those of erased customers');

/** Also an id that was taken before it became one that no session may have. */
export const customerOfPath = z.strictObject({ customer_id: line(128) });

const sessionFields = {
  customer_id: customerIdOf,
  finix_identity: line(255).optional(),
  identity: identity.optional(),
  purpose: z.enum(PURPOSES).optional(),
  ownership: z.enum(OWNERSHIP_CHECKS).optional(),
  account_selection: z.enum(['single', 'multiple']).optional(),
  language: language.optional(),
  // A mandate is a page of text at most.
  authorization: z
    .strictObject({
      text: z
        .string()
        .min(1)
        .max(10_000)
        .regex(HAS_TEXT, NOT_BLANK)
        .refine(isStorable, 'must be text in Unicode, without NUL'),
      version: line(64),
    })
    .optional(),
  connection: line(64).optional(),
  merchant: merchant.optional(),
  link_customization: line(128).optional(),
  // A merchant has a handful of sites; the list is read in each preflight.
  allowed_origins: z.array(origin).min(1).max(20).optional(),
  metadata: metadata.optional(),
};

const SELLER_NEEDED = {
  path: ['finix_identity'],
  error: 'is required for a settlement: the SELLER identity that exists at Finix',
};

const namesSeller = ({
  purpose,
  finix_identity,
}: {
  purpose?: string | undefined;
  finix_identity?: string | undefined;
}) => purpose !== 'settlement' || finix_identity !== undefined;

export const createSession = z
  .strictObject(sessionFields)
  .refine(namesSeller, SELLER_NEEDED) satisfies z.ZodType<CreateSessionRequest>;

export const createLink = z
  .strictObject({
    ...sessionFields,
    // Plaid's own links live for 21 days at most; so do ours, so that a link never outlives what is behind it.
    expires_in_days: z.int().min(1).max(21).optional(),
    return_url: returnUrl.optional(),
  })
  .refine(namesSeller, SELLER_NEEDED) satisfies z.ZodType<CreateLinkRequest>;

export const createPublicSession = z.strictObject({
  identity: z.strictObject({ first_name: firstName, last_name: lastName, email }).partial().optional(),
  language: language.optional(),
}) satisfies z.ZodType<CreatePublicSessionRequest>;

const authorizationAcceptance = z.strictObject({
  accepted: z.boolean(),
  text_sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits'),
});

export const linkTokenRequest = z.strictObject({
  mode: z.enum(['button', 'embedded', 'hosted']).optional(),
  language: language.optional(),
  return_url: z.url().max(2048).refine(isPlain, NOT_PLAIN).optional(),
  platform: z.enum(['ios', 'android', 'react_native']).optional(),
  redirect_uri: z
    .url({ protocol: /^https$/ })
    .max(2048)
    .refine(isPlain, NOT_PLAIN)
    .optional(),
  android_package_name: line(255).optional(),
  authorization: authorizationAcceptance.optional(),
}) satisfies z.ZodType<LinkTokenRequest>;

// Link's metadata is Plaid's to extend, and nothing is decided by it: unknown members are ignored, long ones are not a
// reason to refuse a bank.
const nullableText = z
  .string()
  .transform((text) => clean(text).slice(0, 255))
  .nullish();

export const completeRequest = z.strictObject({
  public_token: line(512),
  accounts: z
    .array(
      z.object({
        id: line(255),
        name: nullableText,
        mask: nullableText,
        type: nullableText,
        subtype: nullableText,
        verification_status: nullableText,
      }),
    )
    // No login has more accounts that we could take; it bounds the work.
    .max(100),
  institution: z.object({ institution_id: nullableText, name: nullableText }).nullish(),
  link_session_id: nullableText,
  authorization: authorizationAcceptance.optional(),
}) satisfies z.ZodType<CompleteRequest>;

// Ids and Plaid's own names, and nothing else that a page could put into the audit: a value of another form is left
// out.
const plaidWord = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,100}$/)
  .nullish()
  .catch(null);

export const linkExitRequest = z.strictObject({
  link_session_id: plaidWord,
  request_id: plaidWord,
  institution_id: plaidWord,
  status: plaidWord,
  error_code: plaidWord,
}) satisfies z.ZodType<LinkExitRequest>;

export const createCheck = z.strictObject({
  amount: z.int().positive(),
  currency: z.literal('USD').optional(),
  // Plaid's limit for Signal.
  client_transaction_id: line(36),
  user_present: z.boolean().optional(),
  is_recurring: z.boolean().optional(),
}) satisfies z.ZodType<CheckRequest>;

/** In digits: `1e1` and `0x10` are numbers to JavaScript, and typing errors here. */
const inDigits = (value: unknown) =>
  typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;

// Sized for a page of a back office.
const limit = z.preprocess(inDigits, z.number().int().min(1).max(100)).default(25).describe('Entries of one page.');
const cursor = line(128).optional().describe('`next_cursor` of the page before.');

const customerId = line(128).optional().describe('Only of this customer.');
const merchantId = line(128).optional().describe('Only of this merchant of a platform.');

export const listPage = z.strictObject({ cursor, limit });

export const listAudit = z.strictObject({
  merchant_id: merchantId,
  connection: line(128).optional().describe('Only about this connection.'),
  session: line(128).optional().describe('Only about this session.'),
  link: line(128).optional().describe('Only about this link and the sessions behind it.'),
  cursor,
  limit,
});

export const listDeliveries = z.strictObject({
  status: z.enum(DELIVERY_STATUSES).optional().describe('Only with this status.'),
  merchant_id: merchantId,
  cursor,
  limit,
});

export const listSessions = z.strictObject({
  customer_id: customerId,
  merchant_id: merchantId,
  status: z.enum(SESSION_STATUSES).optional().describe('Only with this status.'),
  cursor,
  limit,
});

export const listLinks = z.strictObject({
  customer_id: customerId,
  merchant_id: merchantId,
  status: z.enum(LINK_STATUSES).optional().describe('Only with this status.'),
  cursor,
  limit,
});

export const listConnections = z.strictObject({
  customer_id: customerId,
  merchant_id: merchantId,
  status: z.enum(CONNECTION_STATUSES).optional().describe('Only with this status.'),
  consent_expires_before: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('Only those in use whose consent ends before this time, or has ended.'),
  cursor,
  limit,
});
