import { createHash, createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import type { Context, WebhookSender } from './context.ts';
import { base64, iso } from './ids.ts';
import type { FinixResource, SimulatedItem, SimulatedLinkToken } from './state.ts';
import { quietTimer } from './timer.ts';

/** A webhook that was made. Bodies can hold public tokens. */
export interface SimulatedWebhook {
  at: string;
  service: 'plaid' | 'finix';
  url: string;
  /** `ITEM/ERROR`, `instrument/updated` */
  type: string;
  body: string;
  /** HTTP status of the receiver's last answer; null: none came yet. */
  status: number | null;
}

/** How webhooks reach their receiver: `fetch`, unless a test brings them there itself. */
export type Deliver = (
  url: string,
  init: { method: 'POST'; headers: Record<string, string>; body: string },
) => Promise<Response>;

export interface WebhookSettings {
  /** How late each is sent, in real milliseconds. */
  delayMs: number;
  /** How often each is sent; Plaid promises at least once. */
  copies: number;
  /** Where Finix sends, and the key it signs with; null: no one has subscribed. */
  finix: { url: string; secret: string } | null;
}

/** The simulator stays on this machine: what is meant for elsewhere gets no answer. */
const deliverHere: Deliver = async (url, init) => {
  const { hostname } = new URL(url);
  if (!/^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) throw new Error('not on this machine');
  return fetch(url, { ...init, redirect: 'manual' });
};

type How = Partial<Pick<WebhookSettings, 'copies' | 'delayMs'>>;
type Shared = Pick<Context, 'now' | 'closing' | 'emit'>;

interface SigningKey {
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
  created_at: number;
  /** Milliseconds; null: still good. */
  expired_at: number | null;
}

/**
 * Makes, signs and sends the webhooks of both providers; late, twice and out of order when asked to. Never repeats on
 * its own.
 */
export class Webhooks implements WebhookSender {
  readonly settings: WebhookSettings = { delayMs: 0, copies: 1, finix: null };
  readonly #context: Shared;
  readonly #deliver: Deliver;
  readonly #keys: SigningKey[] = [];
  readonly #sending = new Set<Promise<void>>();
  #sent: SimulatedWebhook[] = [];
  #held: (() => void)[] | null = null;

  constructor(context: Shared, deliver: Deliver = deliverHere) {
    this.#context = context;
    this.#deliver = deliver;
  }

  /** Everything that was made, oldest first. */
  sent(): SimulatedWebhook[] {
    return structuredClone(this.#sent);
  }

  forget(): void {
    this.#sent = [];
  }

  /** Keeps what is made from now on. */
  hold(): void {
    this.#held ??= [];
  }

  /** Sends what was kept, one after the other, and goes on without keeping. */
  async release(order: 'as made' | 'reversed' = 'as made'): Promise<void> {
    const held = this.#held ?? [];
    this.#held = null;
    for (const send of order === 'reversed' ? held.reverse() : held) {
      send();
      await this.settled();
    }
  }

  /** Loses what was kept, as a receiver that was down for more than a day does, and goes on without keeping. */
  drop(): void {
    this.#held = null;
  }

  /** Resolves when every webhook that was to be sent has been answered. */
  async settled(): Promise<void> {
    while (this.#sending.size > 0) await Promise.all(this.#sending);
  }

  /** From now on Plaid signs with another key; what the old one has signed is not to be believed any more. */
  rotateKey(): void {
    const current = this.#keys.at(-1);
    if (current) current.expired_at = this.#context.now();
    this.#newKey();
  }

  /** A key as `/webhook_verification_key/get` gives it. */
  key(kid: string): Record<string, unknown> | undefined {
    const found = this.#keys.find((key) => key.kid === kid);
    if (!found) return undefined;
    const { x, y } = found.publicKey.export({ format: 'jwk' });
    const seconds = (ms: number | null) => (ms === null ? null : Math.floor(ms / 1000));
    const times = { created_at: seconds(found.created_at), expired_at: seconds(found.expired_at) };
    return { alg: 'ES256', crv: 'P-256', kid, kty: 'EC', use: 'sig', x, y, ...times };
  }

  /** About an Item, to where its webhooks go. */
  plaidItem(item: SimulatedItem, type: string, code: string, more: Record<string, unknown> = {}): boolean {
    if (item.webhook === null) return false;
    const payload = { webhook_type: type, webhook_code: code, item_id: item.item_id, ...more };
    this.plaid(item.webhook, payload, item.scenario.webhooks);
    return true;
  }

  /** About a Hosted Link, to the link token's address. */
  plaidLink(token: SimulatedLinkToken, code: string, more: Record<string, unknown>): void {
    if (token.webhook === null || !token.hosted) return;
    this.plaid(token.webhook, { webhook_type: 'LINK', webhook_code: code, link_token: token.link_token, ...more });
  }

  /** @param how other than in the settings */
  plaid(url: string, payload: Record<string, unknown>, how: How = {}): void {
    // Plaid's own spacing: the signature is over every byte.
    const body = JSON.stringify({ ...payload, environment: 'sandbox' }, null, 2);
    const type = `${String(payload['webhook_type'])}/${String(payload['webhook_code'])}`;
    this.#send('plaid', url, type, body, () => ({ 'Plaid-Verification': this.signPlaid(body) }), how);
  }

  finix(entity: 'instrument' | 'transfer', type: 'created' | 'updated', resource: FinixResource): void {
    const subscription = this.settings.finix;
    if (!subscription) return;
    const body = JSON.stringify({
      id: `event_${randomUUID()}`,
      type,
      entity,
      occurred_at: iso(this.#context.now()),
      system_generated_idempotency_id: randomUUID(),
      _embedded: { [`${entity}s`]: [resource] },
    });
    const { url, secret } = subscription;
    this.#send('finix', url, `${entity}/${type}`, body, () => ({ 'Finix-Signature': this.signFinix(body, secret) }));
  }

  /** What Finix sends first to a new subscription: nothing, which must be answered 200. */
  finixTest(): void {
    const { url } = this.settings.finix ?? { url: '' };
    this.#send('finix', url, 'test', '', () => ({}));
  }

  /** The header that Plaid would send with this body. */
  signPlaid(body: string, issuedAt = this.#context.now()): string {
    const { kid, privateKey } = this.#keys.at(-1) ?? this.#newKey();
    const encode = (part: object) => base64url(new TextEncoder().encode(JSON.stringify(part)));
    const hash = createHash('sha256').update(body).digest('hex');
    const payload = { iat: Math.floor(issuedAt / 1000), request_body_sha256: hash };
    const text = `${encode({ alg: 'ES256', kid, typ: 'JWT' })}.${encode(payload)}`;
    const signature = sign('sha256', new TextEncoder().encode(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `${text}.${base64url(signature)}`;
  }

  /** The header that Finix would send with this body. */
  signFinix(body: string, secret: string, at = this.#context.now()): string {
    const timestamp = Math.floor(at / 1000);
    return `timestamp=${timestamp}, sig=${createHmac('sha256', secret).update(`${timestamp}:${body}`).digest('hex')}`;
  }

  #newKey(): SigningKey {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key: SigningKey = { ...pair, kid: randomUUID(), created_at: this.#context.now(), expired_at: null };
    this.#keys.push(key);
    return key;
  }

  #send(
    service: SimulatedWebhook['service'],
    url: string,
    type: string,
    body: string,
    headers: () => Record<string, string>,
    { copies = this.settings.copies, delayMs = this.settings.delayMs }: How = {},
  ): void {
    const webhook: SimulatedWebhook = { at: iso(this.#context.now()), service, url, type, body, status: null };
    this.#sent.push(webhook);
    const go = () => {
      for (let copy = 0; copy < copies; copy++) {
        const sending: Promise<void> = this.#bring(webhook, headers, delayMs).finally(() =>
          this.#sending.delete(sending),
        );
        this.#sending.add(sending);
      }
    };
    if (this.#held) this.#held.push(go);
    else go();
  }

  async #bring(webhook: SimulatedWebhook, headers: () => Record<string, string>, delayMs: number): Promise<void> {
    if (delayMs > 0) {
      await new Promise<void>((resolve) => {
        quietTimer(resolve, delayMs);
        this.#context.closing.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    if (this.#context.closing.aborted) return;
    const started = performance.now();
    let problem: string | undefined;
    try {
      const init = { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers() } } as const;
      const { status } = await this.#deliver(webhook.url, { ...init, body: webhook.body });
      webhook.status = status;
    } catch (error) {
      // No server is there; Plaid would try again for a day.
      webhook.status = null;
      problem = problemOf(error);
    }
    this.#context.emit({
      at: iso(this.#context.now()),
      service: webhook.service,
      what: `webhook ${webhook.type}`,
      status: webhook.status,
      ms: Math.round(performance.now() - started),
      ...(problem === undefined ? {} : { problem: `${problem} (${webhook.url})` }),
    });
  }
}

function base64url(bytes: Uint8Array): string {
  return base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** The connection's own code (`ENOTFOUND`, `DEPTH_ZERO_SELF_SIGNED_CERT`) where there is one. */
function problemOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string };
  return cause?.code ?? cause?.message ?? message ?? 'no answer';
}
