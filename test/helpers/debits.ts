import { expect } from 'vitest';
import type { ReturnOptions } from '../../demo/simulator/index.ts';
import type { ReturnEffect } from '../../server/storage/tables.ts';
import type { CreateSessionRequest } from '../../widget/contract.ts';
import { connectionLifecycle } from './connection-lifecycle.ts';
import { type Answer, TestServer, type TestServerOptions } from './server.ts';

/** The status of a connection after a return of this effect. */
const STATUS = { keep: 'active', repair: 'needs_repair', blocked: 'revoked', dead: 'failed' } as const;

export const FINIX_SECRET = 'f'.repeat(64);

/** A server that Finix's webhooks reach. Debits get their outcome by hand. */
export async function startWithDebits({ env, simulator, ...more }: TestServerOptions = {}): Promise<TestServer> {
  // Longer than any test: what `laterMs` brings would come in between.
  const laterMs = 3600_000;
  const server = await TestServer.start({
    env: { FINIX_WEBHOOK_SECRET: FINIX_SECRET, ...env },
    ...more,
    ...(more.upstream ? {} : { simulator: { laterMs, ...simulator } }),
  });
  const url = `${server.config.publicUrl}/webhooks/finix`;
  server.upstream.simulator.webhooks.settings.finix = { url, secret: FINIX_SECRET };
  return server;
}

/** The reasons of a check's answer, in its order. */
export const reasonsOf = ({ body }: Answer): string[] => body.reasons.map(({ code }: { code: string }) => code);

/** What tests of debits and returns do again and again. */
export function debits(current: () => TestServer) {
  const lifecycle = connectionLifecycle(current);
  const ach = () => current().upstream.simulator.ach;

  async function atFinix(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const { username, password } = current().config.finix;
    const response = await fetch(`${current().upstream.finixUrl}${path}`, {
      method,
      headers: {
        Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
        'Finix-Version': '2022-02-01',
        'Content-Type': 'application/json',
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return (await response.json()) as Record<string, unknown>;
  }

  let customers = 0;
  /** A connection of a customer of its own, so that one server does for many tests. */
  async function connectNew(username?: string, request: Partial<CreateSessionRequest> = {}): Promise<{ id: string }> {
    customers += 1;
    const session = await current().createSession({ customer_id: `cus_new_${customers}`, ...request });
    const { body } = await current().complete(session, await current().publicToken(username));
    const [connection] = body.connections ?? [];
    if (!connection) throw new Error(`no connection: ${JSON.stringify(body)}`);
    return { id: connection.id };
  }

  /** Debits a connection as a merchant's server does. @returns the Transfer's id */
  async function debit(connection: string, amount = 5_000, more: object = {}): Promise<string> {
    const { payment_instrument: source } = await lifecycle.read(connection);
    const made = await atFinix('POST', '/transfers', { amount, currency: 'USD', merchant: 'MU1', source, ...more });
    if (made['id'] === undefined) throw new Error(`no debit: ${JSON.stringify(made)}`);
    return String(made['id']);
  }

  /** A debit that succeeds and then comes back. */
  async function returned(connection: string, code: string, options?: ReturnOptions): Promise<string> {
    const id = await debit(connection);
    ach().succeed(id);
    ach().returnDebit(id, code, options);
    await lifecycle.settled();
    return id;
  }

  /** Checks what a return has done to a connection. */
  async function expectEffect(connection: string, effect: ReturnEffect, reason: string): Promise<void> {
    expect((await lifecycle.read(connection)).status).toBe(STATUS[effect]);
    const { db } = current().storage;
    const row = await db.selectFrom('connections').selectAll().where('id', '=', connection).executeTakeFirst();
    expect(row?.reason).toBe(effect === 'keep' ? null : reason);
    expect(lifecycle.enabled().includes(row?.payment_instrument ?? '')).toBe(effect === 'keep');
  }

  let checks = 0;
  /** Asks whether an amount may be debited, each time with an id of its own. @param more fields of the request */
  function check(connection: string, amount = 5_000, more: object = {}): Promise<Answer> {
    checks += 1;
    const body = { amount, currency: 'USD', client_transaction_id: `order-${checks}`, ...more };
    return current().merchant('POST', `/v1/connections/${connection}/check`, body);
  }

  /** Webhooks of Finix's about transfers so far, as they were sent. */
  const delivered = () =>
    lifecycle
      .webhooks()
      .sent()
      .filter(({ service, type }) => service === 'finix' && type.startsWith('transfer/'))
      .map(({ body }) => body);

  /** Brings a webhook of Finix's to the server. */
  async function bring(body: string): Promise<number> {
    const signature = lifecycle.webhooks().signFinix(body, FINIX_SECRET);
    return (await current().send('POST', '/webhooks/finix', body, { 'Finix-Signature': signature })).status;
  }

  return { ...lifecycle, ach, connectNew, atFinix, debit, returned, check, expectEffect, delivered, bring };
}
