import { z } from 'zod';
import type { Config } from '../config.ts';
import type { UpstreamFailure } from '../errors.ts';
import { type FinixTransfer, toTransfer, transferBody, transferList } from './finix-transfers.ts';
import { type ClientOptions, createOutbound, failureOfConnection, UpstreamError } from './outbound.ts';
import { parseProviderJson } from './provider-json.ts';
import { type FetchAnswer, fetchFor } from './proxy.ts';

/**
 * The calls of Finix that this server makes, in our words. Every failure is an UpstreamError. Finix API version
 * 2022-02-01.
 */
export interface FinixClient {
  /** Not idempotent at Finix: repeating it makes another identity. */
  createIdentity(request: CreateIdentity): Promise<FinixIdentity>;
  /** Not idempotent at Finix: repeating it makes another instrument. */
  createPaymentInstrument(request: CreatePaymentInstrument): Promise<FinixInstrument>;
  /** All bank accounts of one identity made since then, oldest first; cursors are followed. */
  listBankAccounts(identity: string, since: number): Promise<FinixInstrument[]>;
  /** Page by page, newest first: the bank accounts of all identities made since then. Ends where Finix's list does. */
  allBankAccounts(since: number): AsyncIterable<FinixInstrument[]>;
  /** All identities made since then, oldest first; cursors are followed. */
  listIdentities(since: number): Promise<FinixIdentity[]>;
  getPaymentInstrument(id: string): Promise<FinixInstrument>;
  disablePaymentInstrument(id: string): Promise<FinixInstrument>;
  getTransfer(id: string): Promise<FinixTransfer>;
  /**
   * The Transfers that take a debit back: refunds, and what Finix makes of a return. The first page, which has the
   * newest.
   */
  listReversals(transferId: string): Promise<FinixTransfer[]>;
}

export interface CreateIdentity {
  entity: Record<string, unknown>;
  role: 'BUYER' | 'RECIPIENT';
  type: 'PERSONAL' | 'BUSINESS';
  tags: Record<string, string>;
}

export interface CreatePaymentInstrument {
  identity: string;
  processorToken: string;
  tags: Record<string, string>;
}

export interface FinixIdentity {
  id: string;
  createdAt: string;
  tags: Record<string, string>;
}

export interface FinixInstrument {
  id: string;
  createdAt: string;
  enabled: boolean;
  fingerprint: string | null;
  bankAccountValidationCheck: string | null;
  tags: Record<string, string>;
}

/** Production users set 30 s; Finix itself may work on a call for longer, which is what the quiet period is for. */
export const FINIX_TIMEOUT_MS = 30_000;
/** Finix's largest page. */
const PAGE_SIZE = 100;
/** 5,000 bank accounts of one identity: beyond that something else is wrong, and the list must end. */
const MAX_PAGES = 50;
/** The code of the error when it is not reached. */
export const LIST_TOO_LONG = 'LIST_TOO_LONG';

const tags = z.record(z.string(), z.unknown()).nullish();
const identityBody = z.object({ id: z.string().min(1), created_at: z.string().nullish(), tags });
const instrumentBody = z.object({
  id: z.string().min(1),
  created_at: z.string().nullish(),
  enabled: z.boolean().nullish(),
  fingerprint: z.string().nullish(),
  bank_account_validation_check: z.string().nullish(),
  tags,
});
const page = z.object({ next_cursor: z.string().nullish() }).nullish();
const instrumentList = z.object({
  page,
  _embedded: z.object({ payment_instruments: z.array(instrumentBody).nullish() }).nullish(),
});
const identityList = z.object({
  page,
  _embedded: z.object({ identities: z.array(identityBody).nullish() }).nullish(),
});
// Only the envelope is required: that Finix itself responded matters more than the shape of each member.
const errorBody = z.object({ _embedded: z.object({ errors: z.array(z.record(z.string(), z.unknown())).min(1) }) });

export function createFinixClient(
  config: Config['finix'],
  { timeoutMs = FINIX_TIMEOUT_MS, observe, onDate, proxy, tap }: ClientOptions = {},
): FinixClient {
  const outbound = createOutbound({ service: 'finix', observe });
  const send = fetchFor(config.baseUrl, proxy);
  const headers = {
    Authorization: `Basic ${Buffer.from(`${config.username}:${config.password}`).toString('base64')}`,
    'Finix-Version': '2022-02-01',
    Accept: 'application/hal+json',
  };

  function call<T>(name: string, schema: z.ZodType<T>, method: string, path: string, body?: unknown): Promise<T> {
    return outbound.run(name, async (note) => {
      let response: FetchAnswer;
      let text: string;
      const sent = body === undefined ? undefined : JSON.stringify(body);
      const answered = tap?.({ service: 'finix', method, path, body: sent ?? '' });
      try {
        response = await send(`${config.baseUrl}${path}`, {
          method,
          headers: body === undefined ? headers : { ...headers, 'Content-Type': 'application/json' },
          body: sent,
          // A redirect would carry the credentials and the processor token to another host.
          redirect: 'manual',
          signal: AbortSignal.timeout(timeoutMs),
        });
        onDate?.(response.headers.get('date'));
        text = await response.text();
      } catch (error) {
        answered?.({ status: null, body: '' });
        throw connectionError(name, error);
      }
      answered?.({ status: response.status, body: text });
      note(response.headers.get('x-request-id') ?? undefined);
      const json = parseProviderJson(text);
      if (!response.ok) throw answerError(name, response, json);
      const parsed = schema.safeParse(json);
      if (!parsed.success)
        throw new UpstreamError('finix', name, 'lost', 'UNREADABLE_ANSWER', { status: response.status });
      return parsed.data;
    });
  }

  async function listAll<T>(
    fetchPage: (cursor: string | undefined) => Promise<{ rows: T[]; next: string | null | undefined }>,
  ) {
    const all: T[] = [];
    let cursor: string | undefined;
    for (let i = 0; i < MAX_PAGES; i++) {
      const { rows, next } = await fetchPage(cursor);
      all.push(...rows);
      if (!next || next === cursor) return all;
      cursor = next;
    }
    // Deciding from half a list could make a second instrument.
    throw new UpstreamError('finix', 'list', 'busy', LIST_TOO_LONG);
  }

  async function bankAccounts(filters: Record<string, string>, since: number, cursor: string | undefined) {
    const query = listQuery({ ...filters, type: 'BANK_ACCOUNT' }, since, cursor);
    const data = await call('list payment instruments', instrumentList, 'GET', `/payment_instruments?${query}`);
    return { rows: data._embedded?.payment_instruments ?? [], next: data.page?.next_cursor };
  }

  return {
    async createIdentity({ entity, role, type, tags }) {
      const body = { entity, identity_roles: [role], type, tags };
      return toIdentity(await call('create identity', identityBody, 'POST', '/identities', body));
    },
    async createPaymentInstrument({ identity, processorToken, tags }) {
      const body = { type: 'BANK_ACCOUNT', third_party: 'PLAID', third_party_token: processorToken, identity, tags };
      return toInstrument(
        await call('create payment instrument', instrumentBody, 'POST', '/payment_instruments', body),
      );
    },
    async listBankAccounts(identity, since) {
      const rows = await listAll((cursor) => bankAccounts({ owner_identity_id: identity }, since, cursor));
      return rows.map(toInstrument).sort(oldestFirst);
    },
    async *allBankAccounts(since) {
      let cursor: string | undefined;
      for (;;) {
        const { rows, next } = await bankAccounts({}, since, cursor);
        yield rows.map(toInstrument);
        if (!next || next === cursor) return;
        cursor = next;
      }
    },
    async listIdentities(since) {
      const rows = await listAll(async (cursor) => {
        const data = await call('list identities', identityList, 'GET', `/identities?${listQuery({}, since, cursor)}`);
        return { rows: data._embedded?.identities ?? [], next: data.page?.next_cursor };
      });
      return rows.map(toIdentity).sort(oldestFirst);
    },
    async getPaymentInstrument(id) {
      const path = `/payment_instruments/${encodeURIComponent(id)}`;
      return toInstrument(await call('get payment instrument', instrumentBody, 'GET', path));
    },
    async disablePaymentInstrument(id) {
      const path = `/payment_instruments/${encodeURIComponent(id)}`;
      return toInstrument(await call('disable payment instrument', instrumentBody, 'PUT', path, { enabled: false }));
    },
    async getTransfer(id) {
      return toTransfer(await call('get transfer', transferBody, 'GET', `/transfers/${encodeURIComponent(id)}`));
    },
    async listReversals(transferId) {
      const path = `/transfers/${encodeURIComponent(transferId)}/reversals?limit=${PAGE_SIZE}`;
      const data = await call('list reversals', transferList, 'GET', path);
      return (data._embedded?.transfers ?? []).map(toTransfer);
    },
  };
}

function listQuery(filters: Record<string, string>, since: number, cursor: string | undefined): URLSearchParams {
  const query = new URLSearchParams({
    ...filters,
    limit: String(PAGE_SIZE),
    'created_at.gte': new Date(since).toISOString(),
  });
  if (cursor) query.set('after_cursor', cursor);
  return query;
}

function toIdentity(body: z.infer<typeof identityBody>): FinixIdentity {
  return { id: body.id, createdAt: body.created_at ?? '', tags: stringTags(body.tags) };
}

/** Only these fields leave the client: Finix's answer can echo the processor token and holds the routing number. */
function toInstrument(body: z.infer<typeof instrumentBody>): FinixInstrument {
  return {
    id: body.id,
    createdAt: body.created_at ?? '',
    enabled: body.enabled ?? true,
    fingerprint: body.fingerprint ?? null,
    bankAccountValidationCheck: body.bank_account_validation_check ?? null,
    tags: stringTags(body.tags),
  };
}

function stringTags(value: Record<string, unknown> | null | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(value ?? {}).flatMap(([k, v]) => (typeof v === 'string' ? [[k, v]] : [])));
}

function oldestFirst(a: { createdAt: string; id: string }, b: { createdAt: string; id: string }): number {
  return a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id);
}

function connectionError(call: string, error: unknown): UpstreamError {
  const { name, cause } = (error ?? {}) as { name?: string; cause?: { code?: string } };
  if (name === 'TimeoutError') return new UpstreamError('finix', call, 'lost', 'TIMEOUT');
  return new UpstreamError('finix', call, failureOfConnection(cause?.code), cause?.code ?? 'NO_ANSWER');
}

const REMEDY =
  'Set FINIX_USERNAME and FINIX_PASSWORD to a key of the environment in FINIX_ENV, as Finix’s Dashboard shows it under Developers > API Keys, with the right to create what the call creates.';

function answerError(call: string, response: FetchAnswer, json: unknown): UpstreamError {
  const { status } = response;
  const parsed = errorBody.safeParse(json);
  const first = parsed.success ? parsed.data._embedded.errors[0] : undefined;
  const retryAfter = Number(response.headers.get('retry-after')) || undefined;
  const failure = failureOfStatus(status, first !== undefined);
  const details = {
    status,
    remedy: failure === 'misconfigured' ? REMEDY : undefined,
    requestId: textOf(first?.['logref']) ?? response.headers.get('x-request-id') ?? undefined,
    field: textOf(first?.['field']),
    retryAfter,
  };
  return new UpstreamError('finix', call, failure, textOf(first?.['code']) ?? `HTTP_${status}`, details);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/**
 * Finix has one error shape; a 5xx without it comes from a gateway in between, and what Finix did is unknown.
 * 401, 403 and 429 are certain even without a body: they are decided before the call is carried out.
 */
function failureOfStatus(status: number, isFinixAnswer: boolean): UpstreamFailure {
  if (status === 401 || status === 403) return 'misconfigured';
  if (status === 429) return 'busy';
  if (!isFinixAnswer) return 'lost';
  return status >= 500 ? 'busy' : 'refused';
}
