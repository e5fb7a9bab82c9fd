import type { JWK } from 'jose';
import type { LinkTokenCreateRequest, PlaidApi, ProcessorTokenCreateRequestProcessorEnum } from 'plaid';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { isSafeUrl } from '../hosts.ts';
import { createHttpClient } from './http-client.ts';
import { type ClientOptions, createOutbound, UpstreamError, unanswered, unreadable } from './outbound.ts';
import { fromErrorBody } from './plaid-errors.ts';
import { createInstitutionCalls, type PlaidInstitutionCalls } from './plaid-institutions.ts';
import { createRiskCalls, type PlaidCall, type PlaidRiskCalls } from './plaid-risk.ts';
import { createPlaidTransport, type SdkAnswer } from './plaid-transport.ts';
import { timeOf } from './provider-json.ts';

/** The calls of Plaid that this server makes, in our words. Every failure is an UpstreamError. */
export interface PlaidClient extends PlaidRiskCalls, PlaidInstitutionCalls {
  createLinkToken(request: LinkTokenCreateRequest): Promise<LinkToken>;
  /**
   * The results of a Link so far, oldest first; of Links that are not hosted only where Plaid was asked to report them.
   * Plaid keeps them for six hours.
   */
  getLinkResults(linkToken: string): Promise<LinkResult[]>;
  /** One-time: a public token can be exchanged once. */
  exchangePublicToken(publicToken: string): Promise<{ accessToken: string; itemId: string }>;
  getAccounts(accessToken: string): Promise<PlaidLogin>;
  /** May be repeated: every call makes another token for the same account. */
  createProcessorToken(accessToken: string, accountId: string): Promise<string>;
  removeItem(accessToken: string): Promise<void>;
  /** Where webhooks of the Item go from now on. */
  updateWebhook(accessToken: string, url: string): Promise<void>;
  /** The error code that the Item is in, such as `ITEM_LOGIN_REQUIRED`; null: none. */
  getItemError(accessToken: string): Promise<string | null>;
  /** When the Item's consent ends, in milliseconds since 1970; null: no end is known. */
  getConsentEnd(accessToken: string): Promise<number | null>;
  /** The products that the Item's customer has agreed to, such as `auth`. */
  getItemProducts(accessToken: string): Promise<string[]>;
  /** A key that webhooks are signed with. Times are milliseconds since 1970. */
  getWebhookKey(keyId: string): Promise<{ jwk: JWK; expiredAt: number | null }>;
  /** Starts loading the SDK, so that the first call does not wait for it. */
  warmUp(): void;
}

/** A bank that a customer added in a Hosted Link. */
export interface LinkResult {
  publicToken: string;
  /** Those that were picked, by Plaid's ids. */
  accounts: { id: string; name: string | null; mask: string | null }[];
  institution: { institution_id: string | null; name: string | null } | null;
  linkSessionId: string | null;
}

export interface LinkToken {
  linkToken: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
  hostedLinkUrl: string | undefined;
}

/** An Item as its accounts are read. */
export interface PlaidLogin {
  accounts: PlaidAccount[];
  institutionId: string | null;
  institutionName: string | null;
  /** Where its webhooks go; empty: nowhere. */
  webhookUrl: string;
  /** How Plaid verified the numbers, in Plaid's word (`INSTANT_AUTH`, …); null: not reported. */
  authMethod: string | null;
  /** When the customer's consent ends, in milliseconds since 1970; null: no end is known. */
  consentExpiresAt: number | null;
}

export interface PlaidAccount {
  id: string;
  name: string | null;
  mask: string | null;
  type: string | null;
  subtype: string | null;
  verificationStatus: string | null;
  persistentAccountId: string | null;
  /** Whether a person or a business holds it, in Plaid's word; null: not reported. */
  holderCategory: string | null;
}

/**
 * Plaid's own limit for a call is not published; link tokens and exchanges usually take a second, calls that reach the
 * bank several.
 */
const PLAID_TIMEOUT_MS = 20_000;

const linkTokenBody = z.object({
  link_token: z.string().min(1),
  expiration: z.string(),
  hosted_link_url: z.string().refine(isSafeUrl, 'must be https').nullish(),
});
/** A word that a login can do without: nothing is decided by it but the choice of an account. */
const optionalText = z.string().nullish().catch(null);
const chosenInLink = {
  accounts: z
    .array(z.object({ id: optionalText, name: optionalText, mask: optionalText }))
    .nullish()
    .catch(null),
  institution: z.object({ institution_id: optionalText, name: optionalText }).nullish().catch(null),
};
const linkSessionsBody = z.object({
  link_sessions: z
    .array(
      z.object({
        link_session_id: z.string().nullish(),
        results: z
          .object({
            item_add_results: z.array(z.object({ public_token: z.string().min(1), ...chosenInLink })).nullish(),
          })
          .nullish(),
        // What Plaid gave before `results`, and may give alone.
        on_success: z
          .object({ public_token: optionalText, metadata: z.object(chosenInLink).nullish().catch(null) })
          .nullish()
          .catch(null),
      }),
    )
    .nullish(),
});
const exchangeBody = z.object({ access_token: z.string().min(1), item_id: z.string().min(1) });
const accountBody = z.object({
  account_id: z.string(),
  name: optionalText,
  official_name: optionalText,
  mask: optionalText,
  type: optionalText,
  subtype: optionalText,
  // None would mean that the bank has vouched for the account.
  verification_status: z.string().nullish().catch('unreadable'),
  persistent_account_id: optionalText,
  holder_category: optionalText,
});
const accountsBody = z.object({
  accounts: z.array(accountBody),
  item: z
    .object({
      institution_id: optionalText,
      institution_name: optionalText,
      webhook: optionalText,
      auth_method: optionalText,
      consent_expiration_time: optionalText,
    })
    .loose(),
});
const itemBody = z.object({ item: z.object({ error: z.object({ error_code: z.string() }).nullish() }).loose() });
const products = z.array(z.string()).nullish();
const productsBody = z.object({ item: z.object({ products, billed_products: products }).loose() });
const consentBody = z.object({ item: z.object({ consent_expiration_time: optionalText }).loose() });
const keyBody = z.object({
  key: z.object({
    alg: z.literal('ES256'),
    crv: z.literal('P-256'),
    kty: z.literal('EC'),
    kid: z.string(),
    x: z.string(),
    y: z.string(),
    expired_at: z.number().nullish(),
  }),
});
const processorBody = z.object({ processor_token: z.string().min(1) });

export function createPlaidClient(
  config: Config['plaid'],
  { timeoutMs = PLAID_TIMEOUT_MS, observe, onDate, proxy, tap }: ClientOptions = {},
): PlaidClient {
  const outbound = createOutbound({ service: 'plaid', observe });
  const secrets = [config.secret, config.clientId];
  const transport = createPlaidTransport(config.baseUrl, createHttpClient(config.baseUrl, proxy), tap);

  // The SDK takes about half a second to import, so it is loaded while the server starts, not before.
  let loading: Promise<PlaidApi> | undefined;
  const sdk = () => {
    loading ??= import('plaid').then(({ Configuration, PlaidApi }) => {
      const headers = {
        'PLAID-CLIENT-ID': config.clientId,
        'PLAID-SECRET': config.secret,
        'Plaid-Version': '2020-09-14',
      };
      return new PlaidApi(
        new Configuration({ basePath: config.baseUrl, baseOptions: { headers } }),
        undefined,
        transport as unknown as ConstructorParameters<typeof PlaidApi>[2],
      );
    });
    return loading;
  };

  // The line is joined before anything is waited for: until then it is known what the call is about.
  const call: PlaidCall = (name, body, send, patienceMs = timeoutMs) =>
    outbound.run(name, async (note) => {
      const api = await sdk();
      const answer = await send(api, { timeout: patienceMs }).catch((error: unknown) => {
        throw unanswered('plaid', name, error);
      });
      const { status, data, headers, config: sent } = answer as SdkAnswer;
      onDate?.(headers.date);
      note(requestIdOf(data));
      // With any status, and also for calls whose answer holds nothing that is read.
      const refusal = fromErrorBody(name, status, data, { body: sent.data, secrets });
      if (refusal) throw refusal;
      if (status < 200 || status > 299) throw new UpstreamError('plaid', name, 'lost', 'NOT_PLAIDS_ANSWER', { status });
      const parsed = body.safeParse(data);
      if (!parsed.success) throw unreadable('plaid', name, data);
      return parsed.data;
    });

  return {
    ...createRiskCalls(call),
    ...createInstitutionCalls(call, config.countryCodes),
    // A failed import shows itself at the first call.
    warmUp: () => void sdk().catch(() => {}),
    async createLinkToken(request) {
      const data = await call('link/token/create', linkTokenBody, (api, options) =>
        api.linkTokenCreate(request, options),
      );
      const expiresAt = Date.parse(data.expiration);
      if (Number.isNaN(expiresAt)) throw new UpstreamError('plaid', 'link/token/create', 'lost', 'UNREADABLE_ANSWER');
      return { linkToken: data.link_token, expiresAt, hostedLinkUrl: data.hosted_link_url ?? undefined };
    },
    async getLinkResults(linkToken) {
      const { link_sessions } = await call('link/token/get', linkSessionsBody, (api, options) =>
        api.linkTokenGet({ link_token: linkToken }, options),
      );
      return (link_sessions ?? []).flatMap(({ link_session_id, results, on_success: success }) =>
        (results?.item_add_results?.length ? results.item_add_results : earlierForm(success)).map(
          ({ public_token, accounts, institution }) => ({
            publicToken: public_token,
            accounts: (accounts ?? []).flatMap(({ id, name = null, mask = null }) => (id ? [{ id, name, mask }] : [])),
            institution: institution
              ? { institution_id: institution.institution_id ?? null, name: institution.name ?? null }
              : null,
            linkSessionId: link_session_id ?? null,
          }),
        ),
      );
    },
    async exchangePublicToken(publicToken) {
      const data = await call('item/public_token/exchange', exchangeBody, (api, options) =>
        api.itemPublicTokenExchange({ public_token: publicToken }, options),
      );
      return { accessToken: data.access_token, itemId: data.item_id };
    },
    async getAccounts(accessToken) {
      const data = await call('accounts/get', accountsBody, (api, options) =>
        api.accountsGet({ access_token: accessToken }, options),
      );
      return {
        accounts: data.accounts.map(toAccount),
        institutionId: data.item.institution_id ?? null,
        institutionName: data.item.institution_name ?? null,
        webhookUrl: data.item.webhook ?? '',
        authMethod: data.item.auth_method ?? null,
        consentExpiresAt: timeOf(data.item.consent_expiration_time),
      };
    },
    async createProcessorToken(accessToken, accountId) {
      const data = await call('processor/token/create', processorBody, (api, options) =>
        api.processorTokenCreate(
          {
            access_token: accessToken,
            account_id: accountId,
            processor: 'finix' as ProcessorTokenCreateRequestProcessorEnum,
          },
          options,
        ),
      );
      return data.processor_token;
    },
    async getItemError(accessToken) {
      const data = await call('item/get', itemBody, (api, options) =>
        api.itemGet({ access_token: accessToken }, options),
      );
      return data.item.error?.error_code ?? null;
    },
    async getConsentEnd(accessToken) {
      const { item } = await call('item/get', consentBody, (api, options) =>
        api.itemGet({ access_token: accessToken }, options),
      );
      return timeOf(item.consent_expiration_time);
    },
    async getItemProducts(accessToken) {
      const { item } = await call('item/get', productsBody, (api, options) =>
        api.itemGet({ access_token: accessToken }, options),
      );
      return item.products ?? item.billed_products ?? [];
    },
    async getWebhookKey(keyId) {
      const { key } = await call('webhook_verification_key/get', keyBody, (api, options) =>
        api.webhookVerificationKeyGet({ key_id: keyId }, options),
      );
      const { alg, crv, kty, kid, x, y, expired_at } = key;
      // Plaid counts in seconds.
      return { jwk: { alg, crv, kty, kid, x, y }, expiredAt: expired_at ? expired_at * 1000 : null };
    },
    async updateWebhook(accessToken, url) {
      await call('item/webhook/update', z.unknown(), (api, options) =>
        api.itemWebhookUpdate({ access_token: accessToken, webhook: url }, options),
      );
    },
    async removeItem(accessToken) {
      await call('item/remove', z.unknown(), (api, options) => api.itemRemove({ access_token: accessToken }, options));
    },
  };
}

type LinkSession = NonNullable<z.infer<typeof linkSessionsBody>['link_sessions']>[number];

/** The one result of a session, in the form of `results`. */
function earlierForm(success: LinkSession['on_success']) {
  return success?.public_token ? [{ public_token: success.public_token, ...success.metadata }] : [];
}

function requestIdOf(data: unknown): string | undefined {
  const id = (data as { request_id?: unknown } | null | undefined)?.request_id;
  return typeof id === 'string' ? id : undefined;
}

function toAccount(account: z.infer<typeof accountBody>): PlaidAccount {
  return {
    id: account.account_id,
    name: account.name ?? account.official_name ?? null,
    mask: account.mask ?? null,
    type: account.type ?? null,
    subtype: account.subtype ?? null,
    // An empty string and null both mean that no micro-deposit or database check was used.
    verificationStatus: account.verification_status || null,
    persistentAccountId: account.persistent_account_id ?? null,
    holderCategory: account.holder_category ?? null,
  };
}
