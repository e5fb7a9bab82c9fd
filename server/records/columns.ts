import { z } from 'zod';
import type {
  AuthorizationReceipt,
  CreateSessionRequest,
  IdentityInput,
  Link,
  MerchantInput,
  ProblemAction,
  ProblemCode,
  SelectableAccount,
  Session,
} from '../../widget/contract.ts';
import { isProblemCode, type ProblemExtras } from '../errors.ts';
import { jsonColumn } from '../storage/json-column.ts';

/** The columns of records that hold JSON: each is read here and nowhere else. */

const texts = z.array(z.string());
const text = z.string();

/** `sessions.metadata` and `connections.metadata` */
export const readMetadata = jsonColumn<Record<string, string>>('metadata', z.record(text, text));

const receipt = z.object({
  text,
  version: text,
  text_sha256: text,
  language: text,
  accepted_at: text,
  ip: text.nullable(),
  user_agent: text.nullable(),
}) satisfies z.ZodType<AuthorizationReceipt>;

/** `sessions.authorization_receipt` and `connections.authorization_receipt` */
export const readReceipt = jsonColumn<AuthorizationReceipt>('authorization_receipt', receipt);

/** `connections.later_authorizations` */
export const readReceipts = jsonColumn<AuthorizationReceipt[]>('connections.later_authorizations', z.array(receipt));

/** `sessions.merchant` and `connections.merchant` */
export const readMerchant = jsonColumn<MerchantInput>(
  'merchant',
  z.object({
    id: text,
    name: text,
    logo_url: text.optional(),
    accent: text.optional(),
    support_url: text.optional(),
  }),
);

/** Origins that may use a session in addition to the server's own list. */
export const readAllowedOrigins = jsonColumn<string[]>('sessions.allowed_origins', texts);

/** `links.request_enc`, opened: the request of the session behind each opening. It was checked when it came. */
export const readLinkRequest = jsonColumn<CreateSessionRequest>(
  'links.request_enc',
  z.custom<CreateSessionRequest>((value) => z.looseObject({ customer_id: text }).safeParse(value).success),
);

/** Plaid's ids of the accounts that the customer has chosen. */
export const readChosenAccounts = jsonColumn<string[]>('sessions.chosen_accounts', texts);

/** Ids of the connections that the customer had already. */
export const readRecognizedConnections = jsonColumn<string[]>('sessions.recognized_connections', texts);

/** The problem that a session keeps in its `error` column. */
export interface StoredProblem extends Pick<ProblemExtras, 'detail' | 'action' | 'errors' | 'accounts'> {
  code: ProblemCode;
  request_id: string;
}

/** The ways forward that a problem can name. */
export const ACTIONS = [
  'retry',
  'restart',
  'choose_account',
  'use_other_bank',
  'use_other_method',
  'wait',
  'contact_merchant',
] as const satisfies readonly ProblemAction[];

const account = z.object({
  id: text,
  name: text,
  mask: text.nullable(),
  subtype: text.nullable(),
}) satisfies z.ZodType<SelectableAccount>;

export const readProblem = jsonColumn<StoredProblem>(
  'sessions.error',
  z.object({
    // A newer version that shares the database may know more codes and actions.
    code: z.custom<ProblemCode>(isProblemCode).catch('internal_error'),
    request_id: text,
    detail: text.optional(),
    action: z.enum(ACTIONS).optional().catch(undefined),
    errors: z.array(z.object({ path: text, message: text })).optional(),
    accounts: z.array(account).optional(),
  }),
);

const address = z.object({
  line1: text.optional(),
  line2: text.optional(),
  city: text.optional(),
  region: text.optional(),
  postal_code: text.optional(),
  country: text.optional(),
});

/** `sessions.identity_enc`, opened */
export const readIdentity = jsonColumn<IdentityInput>(
  'sessions.identity_enc',
  z.object({
    first_name: text.optional(),
    last_name: text.optional(),
    email: text.optional(),
    phone: text.optional(),
    personal_address: address.optional(),
    business_name: text.optional(),
    doing_business_as: text.optional(),
    business_phone: text.optional(),
    business_address: address.optional(),
  }),
);

/** The answer to the request for a link that came with an Idempotency-Key, without its address. */
export const readStoredLink = jsonColumn<Link>(
  'idempotency.response',
  z.custom<Link>((value) => z.looseObject({ object: z.literal('link'), id: text }).safeParse(value).success),
);

/** The answer to a request that came with an Idempotency-Key, without its client secret. It is sent again as it is. */
export const readStoredSession = jsonColumn<Session>(
  'idempotency.response',
  z.custom<Session>((value) => z.looseObject({ object: z.literal('session'), id: text }).safeParse(value).success),
);

export const readAuditDetails = jsonColumn<Record<string, string | number | null>>(
  'audit.details',
  z.record(text, z.union([text, z.number(), z.null()])),
);

/** The body of an event for the merchant. */
export const readDeliveryBody = jsonColumn<Record<string, unknown>>('deliveries.body', z.record(text, z.unknown()));
