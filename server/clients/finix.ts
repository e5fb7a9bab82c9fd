import { z } from 'zod';
import type { Config } from '../config.ts';
import type { UpstreamFailure } from '../errors.ts';
import { iso } from '../ids.ts';
import { about, currentSubject } from '../trace.ts';
import { cursorAfter, isEnd, pageMembers } from './finix-pages.ts';
import { type FinixTransfer, toTransfer, transferBody } from './finix-transfers.ts';
import { createHttpClient, type HttpAnswer } from './http-client.ts';
import {
  type ClientOptions,
  createOutbound,
  type Outbound,
  retryAfterSeconds,
  UpstreamError,
  unanswered,
  unreadable,
} from './outbound.ts';
import { parseProviderJson, timeOf } from './provider-json.ts';

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
/** Of calls that stop debits: at 200 ms a call, 80 a second, which is more than ever end at the same moment. */
const STOPS_IN_FLIGHT = 16;
/** Finix's largest page. */
const PAGE_SIZE = 100;
/** 5,000 bank accounts of one identity: beyond that something else is wrong, and the list must end. */
const MAX_PAGES = 50;
/** The code of the error when it is not reached. */
export const LIST_TOO_LONG = 'LIST_TOO_LONG';
/** Finix has taken the call, and the instrument can be debited still. */
const STILL_ENABLED = 'STILL_ENABLED';

// Members that a look can do without are read as none where they have another type: one odd row must not hide the rest.
const text = z.string().nullish().catch(null);
const tags = z.record(z.string(), z.unknown()).nullish().catch(null);
const identityBody = z.object({ id: z.string().min(1), created_at: text, tags });
const instrumentBody = z.object({
  id: z.string().min(1),
  created_at: text,
  enabled: z.boolean().nullish().catch(null),
  fingerprint: text,
  bank_account_validation_check: text,
  tags,
});
const listOf = <T extends z.core.$ZodLooseShape>(resources: T) =>
  z.preprocess(onlyList, z.object({ ...pageMembers, _embedded: z.object(resources).nullish() }));
const instrumentList = listOf({ payment_instruments: z.array(instrumentBody).nullish() });
const identityList = listOf({ identities: z.array(identityBody).nullish() });
const reversalList = listOf({ transfers: z.array(transferBody).nullish() });
// Only the envelope is required: that Finix itself responded matters more than the shape of each member.
const errorBody = z.object({ _embedded: z.object({ errors: z.array(z.record(z.string(), z.unknown())).min(1) }) });

export function createFinixClient(
  config: Config['finix'],
  { timeoutMs = FINIX_TIMEOUT_MS, observe, onDate, proxy, tap }: ClientOptions = {},
): FinixClient {
  const outbound = createOutbound({ service: 'finix', observe });
  // Not in one line with create calls, which hang for as long as Finix works on them.
  const stops = createOutbound({ service: 'finix', maxInFlight: STOPS_IN_FLIGHT, observe });
  const http = createHttpClient(config.baseUrl, proxy);
  const headers = {
    Authorization: `Basic ${Buffer.from(`${config.username}:${config.password}`).toString('base64')}`,
    'Finix-Version': '2022-02-01',
    Accept: 'application/hal+json',
  };
  const jsonHeaders = { ...headers, 'Content-Type': 'application/json' };

  function call<T>(
    name: string,
    schema: z.ZodType<T>,
    method: string,
    path: string,
    body?: unknown,
    line: Outbound = outbound,
  ): Promise<T> {
    return line.run(name, async (note) => {
      const sent = body === undefined ? undefined : JSON.stringify(body);
      const answered = tap?.({ service: 'finix', method, path, body: sent ?? '' });
      const answer = await http
        .send({ method, path, headers: sent === undefined ? headers : jsonHeaders, body: sent, timeoutMs })
        .catch((error: unknown) => {
          answered?.({ status: null, body: '' });
          throw unanswered('finix', name, error);
        });
      const { status, isOk, text } = answer;
      answered?.({ status, body: text });
      onDate?.(answer.headers.date);
      note(requestIdOf(answer));
      const json = parseProviderJson(text);
      if (!isOk) throw answerError(name, answer, json);
      const parsed = schema.safeParse(json);
      if (!parsed.success) throw unreadable('finix', name, json, { status });
      return parsed.data;
    });
  }

  async function listAll<T>(
    fetchPage: (cursor: string | undefined) => Promise<{ rows: T[]; next: string | null | undefined }>,
  ) {
    const all: T[] = [];
    const subject = currentSubject();
    let cursor: string | undefined;
    for (let i = 0; i < MAX_PAGES; i++) {
      const { rows, next } = await about(subject, () => fetchPage(cursor));
      all.push(...rows);
      if (!next || isEnd(rows, next, cursor)) return all;
      cursor = next;
    }
    // Deciding from half a list could make a second instrument.
    throw new UpstreamError('finix', 'list', 'busy', LIST_TOO_LONG);
  }

  async function bankAccounts(filters: Record<string, string>, since: number, cursor: string | undefined) {
    const query = listQuery({ ...filters, type: 'BANK_ACCOUNT' }, since, cursor);
    const data = await call('list payment instruments', instrumentList, 'GET', `/payment_instruments?${query}`);
    return { rows: data._embedded?.payment_instruments ?? [], next: cursorAfter(data) };
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
        if (!next || isEnd(rows, next, cursor)) return;
        cursor = next;
      }
    },
    async listIdentities(since) {
      const rows = await listAll(async (cursor) => {
        const data = await call('list identities', identityList, 'GET', `/identities?${listQuery({}, since, cursor)}`);
        return { rows: data._embedded?.identities ?? [], next: cursorAfter(data) };
      });
      return rows.map(toIdentity).sort(oldestFirst);
    },
    async getPaymentInstrument(id) {
      const path = `/payment_instruments/${encodeURIComponent(id)}`;
      return toInstrument(await call('get payment instrument', instrumentBody, 'GET', path));
    },
    async disablePaymentInstrument(id) {
      const name = 'disable payment instrument';
      const path = `/payment_instruments/${encodeURIComponent(id)}`;
      const subject = currentSubject();
      const answer = await call(name, z.unknown(), 'PUT', path, { enabled: false }, stops);
      const said = instrumentBody.safeParse(answer);
      if (said.data?.enabled === false) return toInstrument(said.data);
      // Accepted, or answered without the instrument: what counts is how it is now.
      const get = () => call('get payment instrument', instrumentBody, 'GET', path, undefined, stops);
      const present = toInstrument(await about(subject, get));
      if (present.enabled) throw new UpstreamError('finix', name, 'busy', STILL_ENABLED);
      return present;
    },
    async getTransfer(id) {
      return toTransfer(await call('get transfer', transferBody, 'GET', `/transfers/${encodeURIComponent(id)}`));
    },
    async listReversals(transferId) {
      const path = `/transfers/${encodeURIComponent(transferId)}/reversals?limit=${PAGE_SIZE}`;
      const data = await call('list reversals', reversalList, 'GET', path);
      return (data._embedded?.transfers ?? []).map(toTransfer);
    },
  };
}

function listQuery(filters: Record<string, string>, since: number, cursor: string | undefined): URLSearchParams {
  const query = new URLSearchParams({
    ...filters,
    limit: String(PAGE_SIZE),
    'created_at.gte': iso(since),
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

/** By time and not by text: Finix leaves the fraction of a second out where it is zero. */
function oldestFirst(a: { createdAt: string; id: string }, b: { createdAt: string; id: string }): number {
  return (timeOf(a.createdAt) ?? 0) - (timeOf(b.createdAt) ?? 0) || a.id.localeCompare(b.id);
}

/**
 * An error that comes with a status of success, or a gateway's own JSON, is no list: an empty one would prove that a
 * lost create call has made nothing.
 */
function onlyList(body: unknown): unknown {
  const { _embedded: embedded, page: pages, _links: links } = (body ?? {}) as Record<string, unknown>;
  const isList = [embedded, pages, links].some((member) => typeof member === 'object' && member !== null);
  return isList && !errorBody.safeParse(body).success ? body : undefined;
}

const REMEDY =
  'Set FINIX_USERNAME and FINIX_PASSWORD to a key of the environment in FINIX_ENV, as Finix’s Dashboard shows it under Developers > API Keys, with the right to create what the call creates.';

function answerError(call: string, answer: HttpAnswer, json: unknown): UpstreamError {
  const { status } = answer;
  const parsed = errorBody.safeParse(json);
  const first = parsed.success ? parsed.data._embedded.errors[0] : undefined;
  const retryAfter = retryAfterSeconds(answer.headers['retry-after'], Date.now());
  const failure = failureOfStatus(status, first !== undefined);
  const details = {
    status,
    remedy: failure === 'misconfigured' ? REMEDY : undefined,
    requestId: textOf(first?.['logref']) ?? requestIdOf(answer),
    field: fieldOf(first?.['field']),
    retryAfter,
  };
  return new UpstreamError('finix', call, failure, textOf(first?.['code']) ?? `HTTP_${status}`, details);
}

function requestIdOf({ headers }: HttpAnswer): string | undefined {
  return textOf(headers['x-request-id']);
}

/** Customers and logs see it: the name of a member, and never a value. */
function fieldOf(value: unknown): string | undefined {
  const name = textOf(value);
  return name !== undefined && /^[a-z][\w.[\]]{0,99}$/i.test(name) ? name : undefined;
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
  // About the request's method or media types: nothing that a customer, or another account, could change.
  if (isFinixAnswer && (status === 405 || status === 406 || status === 415)) return 'misconfigured';
  if (status === 429) return 'busy';
  if (!isFinixAnswer) return 'lost';
  return status >= 500 ? 'busy' : 'refused';
}
