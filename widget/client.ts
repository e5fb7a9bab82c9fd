import { ConnectionError } from './client/errors.ts';
import { type CallOptions, type ClientOptions, createHttp, isHeaderText } from './client/http.ts';
import type {
  Check,
  CheckRequest,
  ConnectionStatus,
  CreateLinkRequest,
  CreateSessionRequest,
  ErasedCustomer,
  Evidence,
  Link,
  LinkStatus,
  MerchantConnection,
  MerchantSession,
  Page,
  SessionStatus,
} from './contract.ts';

export * from './client/errors.ts';
export type { CallOptions, ClientOptions } from './client/http.ts';
export * from './client/webhooks.ts';
export type * from './contract.ts';

export interface CreateOptions extends CallOptions {
  /**
   * The same key and body get the same answer for 24 hours. One for each call, shared by its repetitions, when left
   * out.
   */
  idempotencyKey?: string;
}

export interface PageOptions {
  cursor?: string;
  /** 1 to 100; 25 when left out. */
  limit?: number;
}

export interface RequireOptions extends CallOptions {
  /** The customer who is paying now, from your own session: never from the request. */
  customerId: string;
}

/** A connection that may be used: it has a payment instrument, and belongs to the customer who was named. */
export type UsableConnection = MerchantConnection & { payment_instrument: string };

export type Client = ReturnType<typeof createClient>;

/**
 * The server's API for a merchant's back end: Node, Deno, Bun and workers, by `fetch` alone. Calls that fail on the way
 * are repeated; each of them is safe to repeat. Every method rejects with an `ApiError`; a wrong argument is a
 * `TypeError`.
 */
export function createClient(options: ClientOptions) {
  // JavaScript can leave them out: the first call then names what is missing.
  const call = createHttp(options ?? {});
  const get = <T>(path: string, query?: object, { signal }: CallOptions = {}) =>
    call<T>({ method: 'GET', path, query, signal });
  const post = <T>(path: string, body?: object, { signal, idempotencyKey }: CreateOptions = {}) =>
    call<T>({ method: 'POST', path, body, signal, idempotencyKey });
  const remove = <T>(path: string, { signal }: CallOptions = {}) => call<T>({ method: 'DELETE', path, signal });
  const withKey = (more: CreateOptions = {}) => {
    expectOptions('create', more, CREATE_OPTIONS);
    const { idempotencyKey = crypto.randomUUID() } = more;
    if (!isHeaderText(idempotencyKey)) {
      throw new TypeError('idempotencyKey must be printable ASCII without spaces, such as a UUID.');
    }
    return { ...more, idempotencyKey };
  };

  /** Every entry of a list, page by page. */
  async function* each<T>(path: string, query: object, options?: CallOptions): AsyncGenerator<T, void, undefined> {
    let cursor: string | null | undefined;
    do {
      const page: Page<T> = await get<Page<T>>(path, { ...query, cursor }, options);
      yield* page.data;
      cursor = page.next_cursor;
    } while (cursor);
  }

  const sessions = {
    /** Give `client_secret` to the page of this customer, and to no one else. */
    create: (request: CreateSessionRequest, options?: CreateOptions) =>
      post<MerchantSession & { client_secret: string }>('/v1/sessions', request, withKey(options)),
    retrieve: (id: string, options?: CallOptions) => get<MerchantSession>(at('/v1/sessions', id), undefined, options),
    list: (
      query: { customer_id?: string; merchant_id?: string; status?: SessionStatus } & PageOptions = {},
      options?: CallOptions,
    ) => get<Page<MerchantSession>>('/v1/sessions', query, options),
    /** Closes an open session at once. */
    cancel: (id: string, options?: CallOptions) =>
      post<MerchantSession>(`${at('/v1/sessions', id)}/cancel`, undefined, options),
  };

  const connections = {
    retrieve: (id: string, options?: CallOptions) =>
      get<MerchantConnection>(at('/v1/connections', id), undefined, options),
    list: (query: ConnectionQuery & PageOptions = {}, options?: CallOptions) =>
      get<Page<MerchantConnection>>('/v1/connections', query, options),
    each: (query: ConnectionQuery = {}, options?: CallOptions) =>
      each<MerchantConnection>('/v1/connections', query, options),
    /**
     * Disables the instrument and ends the access to the bank. `removed` when it is done; a job continues otherwise.
     */
    remove: (id: string, options?: CallOptions) => remove<MerchantConnection>(at('/v1/connections', id), options),
    /** Proof of the customer's authorization, signed: `jws`. */
    evidence: (id: string, options?: CallOptions) =>
      get<Evidence>(`${at('/v1/connections', id)}/evidence`, undefined, options),
    /** Asks whether an amount may be debited now. */
    check: (id: string, request: CheckRequest, options?: CallOptions) =>
      post<Check>(`${at('/v1/connections', id)}/check`, request, options),
  };

  const links = {
    /** `url` is in this answer only. */
    create: (request: CreateLinkRequest, options?: CreateOptions) =>
      post<Link & { url: string }>('/v1/links', request, withKey(options)),
    retrieve: (id: string, options?: CallOptions) => get<Link>(at('/v1/links', id), undefined, options),
    list: (
      query: { customer_id?: string; merchant_id?: string; status?: LinkStatus } & PageOptions = {},
      options?: CallOptions,
    ) => get<Page<Link>>('/v1/links', query, options),
    revoke: (id: string, options?: CallOptions) => post<Link>(`${at('/v1/links', id)}/revoke`, undefined, options),
  };

  const customers = {
    /**
     * Removes all connections and erases what identifies the customer. `erased` when it is done; ask again otherwise.
     */
    erase: (customerId: string, options?: CallOptions) =>
      remove<ErasedCustomer>(at('/v1/customers', customerId), options),
  };

  /**
   * The connection that a form or a page named, checked: it exists, belongs to this customer, and can be charged. The
   * id alone proves nothing, since a page can send any.
   * @param id as it came in the request
   * @throws ConnectionError, and ApiError when the server can't be asked
   */
  async function requireConnection(id: unknown, options: RequireOptions): Promise<UsableConnection> {
    const { customerId, signal } = options ?? {};
    if (!customerId) throw new TypeError('requireConnection needs the customerId of the customer who is paying.');
    const none = new ConnectionError('connection_not_found', 'There is no such connection.');
    if (typeof id !== 'string' || !/^con_[\w-]+$/.test(id)) throw none;
    const connection = await connections.retrieve(id, { signal }).catch((error) => {
      throw error?.code === 'not_found' ? none : error;
    });
    if (connection.customer_id !== customerId) {
      throw new ConnectionError('customer_mismatch', 'The connection belongs to another customer.');
    }
    const { status, payment_instrument } = connection;
    if (status !== 'active' || payment_instrument === null) {
      throw new ConnectionError('connection_not_usable', `The connection is ${status}.`, connection);
    }
    return { ...connection, payment_instrument };
  }

  return { sessions, connections, links, customers, requireConnection };
}

const CREATE_OPTIONS = ['idempotencyKey', 'signal'];

/** A misspelled option would be lost silently, and with it what it protects from. */
function expectOptions(caller: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`${caller} has no option ${unknown}: its options are ${known.join(' and ')}.`);
  }
}

export interface ConnectionQuery {
  customer_id?: string;
  /** Of a platform. */
  merchant_id?: string;
  status?: ConnectionStatus;
  /** ISO 8601. Connections in use whose consent ends before this time. */
  consent_expires_before?: string;
}

/** Ids are written by others: none may lead to another path. */
function at(path: string, id: string): string {
  if (!id || /^\.*$/.test(id)) throw new TypeError(`${JSON.stringify(id)} is no id.`);
  return `${path}/${encodeURIComponent(id)}`;
}
