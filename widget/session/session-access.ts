import type {
  AuthorizationAcceptance,
  CreatePublicSessionRequest,
  LinkExitRequest,
  LinkMode,
  LinkTokenResponse,
  Purpose,
  SessionPurpose,
} from '../contract.ts';
import { ConnectError, flowError, toFlowError } from '../errors.ts';
import { within } from '../within.ts';
import type { SecretStore } from './client-secret-store.ts';
import type { ConnectBackend } from './connect-backend.ts';

/** `{session id}_secret_{random}`, without what a header could not carry. */
const CLIENT_SECRET = /^[!-~]+_secret_[!-~]+$/;

/** What a session needs to know of its surroundings; asked for whenever it is needed, so it may change at any time. */
export interface SessionSettings {
  /** Null where neither an endpoint nor a backend is known. */
  backend: ConnectBackend | null;
  clientSecret: string | null;
  fetchClientSecret: (() => Promise<string>) | null;
  /** For a public session, where there is no client secret. */
  publicSession: CreatePublicSessionRequest;
  language: string | undefined;
}

/** What is fetched only where it is needed (widget/detour/). */
export interface SessionDetour {
  createPublicAgain(backend: ConnectBackend, input: CreatePublicSessionRequest, thrown: unknown): Promise<string>;
  /** The console learns why there is no client secret. */
  refuseSecret(fetchClientSecret: unknown, secret: unknown, failure?: { cause: unknown }): ConnectError;
}

export interface SessionHost {
  settings(): SessionSettings;
  detours: { load(): Promise<SessionDetour> };
  /** Keeps the client secret of a public session over a reload. */
  store: SecretStore;
}

/** The customer's permission for one session, wherever it comes from, and what needs no more than that. */
export class SessionAccess {
  secret: string | null = null;
  /** Null until the server has named it. */
  merchant: string | null = null;
  purpose: Purpose = 'debit';
  /** A payment with the customer's last account was returned. */
  returned = false;
  #pending: Promise<{ secret: string; isPublic: boolean }> | null = null;
  readonly #host: SessionHost;

  constructor(host: SessionHost) {
    this.#host = host;
  }

  /** @throws ConnectError `endpoint_missing` */
  backend(): ConnectBackend {
    const { backend } = this.#host.settings();
    if (!backend) throw new ConnectError(flowError('endpoint_missing', 'contact_merchant'));
    return backend;
  }

  /** What is known already; sends no request. */
  look(): void {
    const { clientSecret, fetchClientSecret } = this.#host.settings();
    this.secret ??= clientSecret ?? (fetchClientSecret ? null : this.#host.store.read());
  }

  /** A server of the page's own may leave either out. */
  learn({ merchant, purpose, returned }: Partial<SessionPurpose> & Pick<LinkTokenResponse, 'returned'>): void {
    this.merchant = merchant?.name || this.merchant;
    this.purpose = purpose ?? this.purpose;
    this.returned = returned ?? this.returned;
  }

  forget(): void {
    this.leave();
    this.#host.store.clear();
  }

  /** Another session takes the place of this one. */
  leave(): void {
    this.secret = null;
    this.#pending = null;
  }

  /** Of a bank that the session has connected; null where the server has none. */
  async getLogo(institutionId: string): Promise<Blob | null> {
    return (this.secret && (await this.backend().getLogo?.(this.secret, institutionId))) || null;
  }

  /** For the server's audit; no caller waits for it. */
  async reportExit(exit: LinkExitRequest): Promise<void> {
    try {
      if (this.secret) await this.backend().reportExit?.(this.secret, exit);
    } catch (error) {
      // An entry less in the audit is no reason to bother a customer; a fault is shown on the console.
      toFlowError(error);
    }
  }

  /** @param leavesPage another page may take the place of this one, and needs to know where to come back to */
  async createLinkToken(
    mode: LinkMode,
    leavesPage: boolean,
    authorization?: AuthorizationAcceptance,
  ): Promise<LinkTokenResponse> {
    const backend = this.backend();
    const secret = await this.#obtain(backend);
    const { language } = this.#host.settings();
    const { origin, pathname, search } = location;
    const back = leavesPage ? { return_url: origin + pathname + search } : {};
    const token = await backend.createLinkToken(secret, {
      mode,
      language,
      ...back,
      ...(authorization && { authorization }),
    });
    this.learn({ returned: false, ...token });
    return token;
  }

  /** One at a time: what is prepared twice at once is prepared for the same session. */
  async #obtain(backend: ConnectBackend): Promise<string> {
    if (this.secret) return this.secret;
    this.#pending ??= this.#request(backend);
    const pending = this.#pending;
    try {
      const { secret, isPublic } = await pending;
      if (this.#pending === pending) {
        this.secret = secret;
        if (isPublic) this.#host.store.write(secret);
      }
      return secret;
    } finally {
      if (this.#pending === pending) this.#pending = null;
    }
  }

  async #request(backend: ConnectBackend): Promise<{ secret: string; isPublic: boolean }> {
    const { clientSecret, fetchClientSecret, publicSession } = this.#host.settings();
    const isPublic = !fetchClientSecret && !clientSecret;
    let secret: unknown = clientSecret;
    let failure: { cause: unknown } | undefined;
    if (fetchClientSecret) {
      secret = await ask(fetchClientSecret).catch((cause: unknown) => {
        failure = { cause };
      });
    } else if (isPublic) secret = await createPublicSession(backend, publicSession, this.#host.detours);
    if (typeof secret === 'string' && CLIENT_SECRET.test(secret)) return { secret, isPublic };
    const { refuseSecret } = await this.#host.detours.load();
    throw refuseSecret(fetchClientSecret, secret, failure);
  }
}

/** What a function of the page's own gives. It may throw at once, and a merchant's own route may never answer. */
async function ask(fetchClientSecret: () => Promise<string>): Promise<unknown> {
  const work = (async () => fetchClientSecret())();
  return within(work);
}

/** The client secret of a new public session, also where the server refuses what the page knows of the person. */
export async function createPublicSession(
  backend: ConnectBackend,
  input: CreatePublicSessionRequest,
  detours: SessionHost['detours'],
): Promise<string> {
  try {
    return (await backend.createPublicSession(input)).clientSecret;
  } catch (thrown) {
    const detour = await detours.load().catch(() => null);
    if (!detour) throw thrown;
    return detour.createPublicAgain(backend, input, thrown);
  }
}
