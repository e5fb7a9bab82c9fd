import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Webhook } from 'standardwebhooks';
import { retryAfterSeconds } from '../clients/outbound.ts';
import { AddressRefused, type CheckedAddress, checkAddress, type Resolve } from '../clients/outbound-address.ts';
import { tunnelTo } from '../clients/proxy.ts';
import type { Config } from '../config.ts';
import { isLocalOrLoopbackHost } from '../hosts.ts';

/** One try to bring a webhook to the merchant. */
export interface MerchantWebhooks {
  /** Never throws: what went wrong is in the answer. */
  send(id: string, body: string): Promise<SendResult>;
  /** Identifies an address without disclosing it; a new address starts without failures. */
  readonly endpoint: string;
}

export interface SendResult {
  /** HTTP status; null: there was no answer. */
  status: number | null;
  /** For people; null when it was taken. */
  error: string | null;
  /** Seconds that the receiver asked us to wait. */
  retryAfter: number | undefined;
}

/** Within the 15 to 30 s that the Standard Webhooks specification advises. */
const TIMEOUT_MS = 15_000;
/** The answer's text is not read: only that much is let in before the connection is closed. */
const MAX_ANSWER_BYTES = 64 * 1024;

export interface MerchantWebhookOptions {
  timeoutMs?: number;
  resolve?: Resolve;
  now?: () => number;
}

/** Signed as the Standard Webhooks specification requires. No redirect is followed, no private address is reached. */
export function createMerchantWebhooks(
  { url, secrets }: NonNullable<Config['merchantWebhook']>,
  { plaid, finix, proxy }: Pick<Config, 'plaid' | 'finix'> & Partial<Pick<Config, 'proxy'>>,
  { timeoutMs = TIMEOUT_MS, resolve, now = Date.now }: MerchantWebhookOptions = {},
): MerchantWebhooks {
  const target = new URL(url);
  const signers = secrets.map((secret) => new Webhook(secret));
  const isSandbox = plaid.environment === 'sandbox' && finix.environment === 'sandbox';
  const tunnel = tunnelTo(target, proxy);
  const loopbackAllowed = isSandbox && isLocalOrLoopbackHost(target.hostname);

  /** @throws AddressRefused */
  async function addressesOf(): Promise<CheckedAddress[] | undefined> {
    try {
      return await checkAddress(target.hostname, { loopbackAllowed, ...(resolve ? { resolve } : {}) });
    } catch (error) {
      // Where everything leaves through a proxy, names outside are often known to the proxy alone.
      if (tunnel && !(error instanceof AddressRefused)) return undefined;
      throw error;
    }
  }

  async function post(id: string, body: string): Promise<SendResult> {
    const addresses = await addressesOf();
    const sentAt = new Date(now());
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': String(Buffer.byteLength(body)),
      'User-Agent': 'finix-bank-connect',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
      // One signature for each secret: receivers accept either one while a secret is rotated.
      'webhook-signature': signers.map((signer) => signer.sign(id, sentAt, body)).join(' '),
    };
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((done, failed) => {
      const request = send(target, {
        method: 'POST',
        headers,
        signal: AbortSignal.timeout(timeoutMs),
        // A connection of its own: a kept one could lead to an address that is no longer the right one.
        agent: tunnel ?? false,
        lookup: (_hostname, options, found) => {
          const [first] = addresses ?? [];
          if (!addresses || !first) found(new Error('The name is the proxy’s to resolve.'), '');
          else if (options.all) found(null, addresses);
          else found(null, first.address, first.family);
        },
      });
      request.once('error', failed);
      request.once('response', (response) => {
        const status = response.statusCode ?? 0;
        const retryAfter = retryAfterSeconds(response.headers['retry-after'], now());
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES) request.destroy();
        });
        // The status is the answer; how its text ends is of no interest.
        response.once('close', () => done({ status, error: errorOf(status), retryAfter }));
        response.on('error', () => {});
      });
      request.end(body);
    });
  }

  return {
    endpoint: url,
    async send(id, body) {
      try {
        return await post(id, body);
      } catch (error) {
        return { status: null, error: wordsFor(error), retryAfter: undefined };
      }
    },
  };
}

function errorOf(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) return `HTTP ${status}: redirects are not followed`;
  return `HTTP ${status}`;
}

function wordsFor(error: unknown): string {
  if (error instanceof AddressRefused) return error.message;
  const { name, code } = (error ?? {}) as { name?: string; code?: string };
  if (name === 'TimeoutError' || name === 'AbortError') return 'no answer in time';
  return `no answer (${code ?? 'unknown'})`;
}
