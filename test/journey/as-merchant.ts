import type { Config } from '../../server/config.ts';
import type {
  CreateLinkRequest,
  CreateSessionRequest,
  Link,
  MerchantConnection,
  Session,
} from '../../widget/contract.ts';
import { type Customer, type Journey, journey } from './customer.ts';

/** A demo whose connect server a test may also ask as another merchant's server would, with a key. */
export interface MerchantJourney extends Journey {
  merchantKey(): string;
  createSession(request: CreateSessionRequest): Promise<Session>;
  createLink(request: CreateLinkRequest): Promise<Link & { url: string }>;
  readLink(id: string): Promise<Link>;
  revokeLink(id: string): Promise<Link>;
  readSession(id: string): Promise<Session>;
  readConnection(id: string): Promise<MerchantConnection>;
}

export function merchantJourney({ adjust }: { adjust?: (config: Config) => void } = {}): MerchantJourney {
  let key = '';
  const here = journey({
    adjust: (config) => {
      [key = ''] = config.merchantApiKeys;
      adjust?.(config);
    },
  });
  async function ask<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${here.demo.connectUrl}/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    return (await response.json()) as T;
  }
  return Object.assign(here, {
    merchantKey: () => key,
    createSession: (request: CreateSessionRequest) => ask<Session>('POST', '/sessions', request),
    createLink: (request: CreateLinkRequest) => ask<Link & { url: string }>('POST', '/links', request),
    readLink: (id: string) => ask<Link>('GET', `/links/${id}`),
    revokeLink: (id: string) => ask<Link>('POST', `/links/${id}/revoke`),
    readSession: (id: string) => ask<Session>('GET', `/sessions/${id}`),
    readConnection: (id: string) => ask<MerchantConnection>('GET', `/connections/${id}`),
  });
}

/** Opens a page whose element carries this client secret from the beginning. */
export async function visitWith(customer: Customer, path: string, { client_secret }: Session): Promise<void> {
  await customer.page.addInitScript(`document.addEventListener('readystatechange', () => {
    for (const element of document.querySelectorAll('finix-bank-connect')) {
      element.setAttribute('client-secret', '${client_secret}');
    }
  }, { once: true })`);
  await customer.visit(path);
}
