import type { AuthorizationAcceptance, LinkMode, LinkTokenResponse } from '../contract.ts';
import { ConnectError, flowError } from '../errors.ts';
import type { ControllerHost } from '../flow/controller-host.ts';
import type { ConnectBackend } from './backend.ts';
import { createPublicSession } from './public-session.ts';

// A merchant's own route may hang; the customer must not hang with it.
const SECRET_TIMEOUT = 15_000;

/** The customer's permission for one session, wherever it comes from, and what needs no more than that. */
export class SessionAccess {
  secret: string | null = null;
  readonly #host: Pick<ControllerHost, 'settings' | 'store'>;

  constructor(host: Pick<ControllerHost, 'settings' | 'store'>) {
    this.#host = host;
  }

  /** @throws ConnectError `endpoint_missing` */
  backend(): ConnectBackend {
    const { backend } = this.#host.settings();
    if (!backend) throw new ConnectError(flowError('endpoint_missing', 'contact_merchant'));
    return backend;
  }

  /** What is known already; asks nobody. */
  look(): void {
    const { clientSecret, fetchClientSecret } = this.#host.settings();
    this.secret ??= clientSecret ?? (fetchClientSecret ? null : this.#host.store.read());
  }

  forget(): void {
    this.secret = null;
    this.#host.store.clear();
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
    return backend.createLinkToken(secret, { mode, language, ...back, ...(authorization && { authorization }) });
  }

  async #obtain(backend: ConnectBackend): Promise<string> {
    if (this.secret) return this.secret;
    const { clientSecret, fetchClientSecret, publicSession } = this.#host.settings();
    let secret: string | null = clientSecret;
    if (fetchClientSecret) {
      secret = await Promise.race([ask(fetchClientSecret).catch(() => null), after(SECRET_TIMEOUT)]);
    } else if (!clientSecret) {
      secret = await createPublicSession(backend, publicSession);
      this.#host.store.write(secret);
    }
    if (typeof secret !== 'string' || !secret.includes('_secret_')) {
      throw new ConnectError(flowError('client_secret_unavailable', fetchClientSecret ? 'retry' : 'contact_merchant'));
    }
    this.secret = secret;
    return secret;
  }
}

/** A function of the page's own may also throw at once. */
async function ask(fetchClientSecret: () => Promise<string>): Promise<string> {
  return fetchClientSecret();
}

function after(milliseconds: number): Promise<null> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, null));
}
