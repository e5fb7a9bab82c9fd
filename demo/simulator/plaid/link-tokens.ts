import type { z } from 'zod';
import type { Context } from '../context.ts';
import { iso, plaidToken } from '../ids.ts';
import type { SimulatedLinkSession, SimulatedLinkToken } from '../state.ts';
import { plaidErrorObject, plaidRefusal } from './errors.ts';
import { findItem } from './items.ts';
import { linkTokenCreate, linkTokenGet } from './link-token-schema.ts';
import { read } from './read.ts';

type CreateRequest = z.infer<typeof linkTokenCreate>;

/** `/link/token/create`. `origin` is where this simulator is reached: Hosted Link lives there. */
export function createLinkToken(context: Context, json: unknown, origin: string): Record<string, unknown> {
  const request = read(linkTokenCreate, json);
  checkUser(request);
  checkRedirectUri(request.redirect_uri);
  checkApp(request);
  const update = request.access_token ? findItem(context, request.access_token) : null;
  checkProducts(context, request, update !== null);

  const now = context.now();
  const lifetime = lifetimeOf(context, request, update !== null);
  const token: SimulatedLinkToken = {
    link_token: plaidToken('link'),
    created_at: now,
    expires_at: now + lifetime,
    client_name: request.client_name,
    client_user_id: request.user?.client_user_id ?? null,
    language: request.language,
    country_codes: request.country_codes,
    products: request.products ?? [],
    required_if_supported_products: request.required_if_supported_products ?? [],
    optional_products: request.optional_products ?? [],
    additional_consented_products: request.additional_consented_products ?? [],
    webhook: request.webhook ?? null,
    redirect_uri: request.redirect_uri ?? null,
    link_customization_name: request.link_customization_name ?? 'default',
    appearance_mode: request.appearance_mode ?? 'SYSTEM',
    account_subtypes: request.account_filters?.depository?.account_subtypes ?? null,
    update_item_id: update?.item_id ?? null,
    update_account_selection: request.update?.account_selection_enabled ?? false,
    hosted: request.hosted_link
      ? {
          id: crypto.randomUUID(),
          completion_redirect_uri: request.hosted_link.completion_redirect_uri ?? null,
        }
      : null,
    sessions: [],
  };
  context.state.linkTokens.set(token.link_token, token);
  return {
    link_token: token.link_token,
    expiration: iso(token.expires_at),
    ...(token.hosted ? { hosted_link_url: `${origin}/link/hosted/${token.hosted.id}` } : {}),
  };
}

function lifetimeOf(context: Context, request: CreateRequest, isUpdate: boolean): number {
  if (request.hosted_link) {
    const seconds = request.hosted_link.url_lifetime_seconds;
    return seconds ? seconds * 1000 : context.lifetimes.updateLinkTokenMs;
  }
  return isUpdate ? context.lifetimes.updateLinkTokenMs : context.lifetimes.linkTokenMs;
}

function checkUser({ user, user_id }: CreateRequest): void {
  if (!user && !user_id) throw plaidRefusal('MISSING_FIELDS', 'the following required fields are missing: user');
  // Plaid checks these with a library for phone numbers; this is the shape that any of them must have.
  if (user?.phone_number !== undefined && !/^\+[1-9]\d{7,14}$/.test(user.phone_number)) {
    throw plaidRefusal('INVALID_USER_IDENTITY_DATA', 'user.phone_number is not a valid E.164 phone number');
  }
  if (user?.email_address !== undefined && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(user.email_address)) {
    throw plaidRefusal('INVALID_USER_IDENTITY_DATA', 'user.email_address is not a valid email address');
  }
}

function checkRedirectUri(uri: string | undefined): void {
  if (uri === undefined) return;
  if (!URL.canParse(uri)) throw plaidRefusal('INVALID_FIELD', 'redirect_uri must be a URL');
  if (/[?#*]/.test(uri)) {
    throw plaidRefusal('INVALID_FIELD', 'redirect_uri must not contain query parameters, fragments or wildcards');
  }
  const { protocol, hostname } = new URL(uri);
  // Plaid's Sandbox lets http through for localhost; the simulator's own addresses are of the same kind.
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '127.0.0.1';
  if (protocol !== 'https:' && !(protocol === 'http:' && isLocal)) {
    throw plaidRefusal('INVALID_FIELD', 'redirect_uri must use https');
  }
}

/** An Android app is known by its package name, every other by its redirect address. */
function checkApp({ android_package_name, redirect_uri, hosted_link }: CreateRequest): void {
  if (android_package_name === undefined) return;
  if (redirect_uri !== undefined) {
    throw plaidRefusal('INVALID_FIELD', 'redirect_uri must not be given together with android_package_name');
  }
  if (hosted_link) throw plaidRefusal('INVALID_FIELD', 'android_package_name can not be used with hosted_link');
}

function checkProducts({ settings }: Context, request: CreateRequest, isUpdate: boolean): void {
  const initial = request.products ?? [];
  const lists = [
    initial,
    request.required_if_supported_products ?? [],
    request.optional_products ?? [],
    request.additional_consented_products ?? [],
  ];
  const all = lists.flat();
  if (all.includes('balance')) throw plaidRefusal('INVALID_PRODUCT', 'balance must not be among the products');
  const disabled = all.filter((product) => settings.disabledProducts.includes(product));
  if (disabled.length > 0) {
    throw plaidRefusal(
      'INVALID_PRODUCT',
      `client is not authorized to access the following products: ${JSON.stringify(disabled)}`,
    );
  }
  if (isUpdate) {
    // Only to ask once more for what the customer has not shared, and for consent to more.
    const isAskedAgain = initial.length === 0 || /^(auth|identity)$/.test(initial.join());
    if (!isAskedAgain || lists.slice(1, 3).some((list) => list.length > 0)) {
      throw plaidRefusal('INVALID_FIELD', 'these products must not be given with an access_token (update mode)');
    }
    return;
  }
  if (request.update) throw plaidRefusal('INVALID_FIELD', 'update can only be given with an access_token');
  if (initial.length === 0) throw plaidRefusal('INVALID_FIELD', 'products must contain at least one product');
  if (new Set(all).size !== all.length) {
    throw plaidRefusal('INVALID_FIELD', 'a product must be in only one of the lists of products');
  }
}

/** `/link/token/get`. Sessions are reported for Hosted Link only, as Plaid does unless a client is enabled for more. */
export function getLinkToken(context: Context, json: unknown): Record<string, unknown> {
  const { link_token } = read(linkTokenGet, json);
  const token = context.state.linkTokens.get(link_token);
  if (!token) throw plaidRefusal('INVALID_LINK_TOKEN');
  return {
    link_token,
    created_at: iso(token.created_at),
    expiration: iso(token.expires_at),
    link_sessions:
      token.hosted || context.settings.linkEvents ? token.sessions.map((session) => sessionShape(session)) : [],
    metadata: {
      initial_products: token.products,
      webhook: token.webhook,
      country_codes: token.country_codes,
      language: token.language,
      redirect_uri: token.redirect_uri,
      client_name: token.client_name,
      ...(token.account_subtypes
        ? { account_filters: { depository: { account_subtypes: token.account_subtypes } } }
        : {}),
    },
  };
}

function sessionShape(session: SimulatedLinkSession): Record<string, unknown> {
  const { exit, result } = session;
  return {
    link_session_id: session.link_session_id,
    started_at: iso(session.started_at),
    finished_at: session.finished_at === null ? null : iso(session.finished_at),
    events: [],
    ...(exit
      ? {
          exit: {
            error: exit.error_code ? plaidErrorObject(exit.error_code) : null,
            metadata: {
              institution: null,
              status: exit.status ?? '',
              link_session_id: session.link_session_id,
              request_id: '',
            },
          },
        }
      : {}),
    ...(result
      ? {
          results: {
            item_add_results: [result],
            cra_item_add_results: [],
            cra_update_results: [],
            bank_income_results: [],
            payroll_income_results: [],
            document_income_results: null,
          },
        }
      : {}),
  };
}
