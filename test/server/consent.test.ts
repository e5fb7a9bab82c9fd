import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MerchantConnection } from '../../widget/contract.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { TestServer } from '../helpers/server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.start();
});
afterEach(() => server.close());

const { webhooks, bank, item, connect, read, expectStatus, settled } = connectionLifecycle(() => server);

const DAY = 24 * 3600_000;
const UPDATE_TOKEN = 'public-sandbox-99999999-9999-9999-9999-999999999999';
const iso = (ms: number) => new Date(ms).toISOString();

/** Connects a bank whose consent ends. */
async function connectUntil(endsAt: number, customer_id = 'cus_1'): Promise<string> {
  const session = await server.createSession({ customer_id });
  const token = await server.publicToken();
  const made = server.ledger.items().at(-1);
  bank().limitConsent(made?.item_id ?? '', endsAt);
  const { body } = await server.complete(session, token);
  return body.connections[0].id;
}

async function expectListed(query: string): Promise<string[]> {
  const { status, body } = await server.merchant('GET', `/v1/connections?${query}`);
  expect(status).toBe(200);
  return body.data.map(({ id }: MerchantConnection) => id);
}

const endingBy = (ms: number) => `consent_expires_before=${encodeURIComponent(iso(ms))}`;

async function expectRepair(connection: string, customer_id = 'cus_1'): Promise<void> {
  const session = await server.createSession({ customer_id, connection });
  await server.page(session, 'POST', '/link-token', {});
  const { body } = await server.complete(session, UPDATE_TOKEN);
  expect(body.status).toBe('completed');
}

describe('the end of a customer’s consent', () => {
  it('is read with the accounts, and is null where the bank sets none', async () => {
    const endsAt = Date.now() + 90 * DAY;
    expect((await read(await connectUntil(endsAt))).consent_expires_at).toBe(iso(endsAt));
    const { id } = await connect();
    expect((await read(id)).consent_expires_at).toBeNull();
  });

  it.each(['PENDING_EXPIRATION', 'PENDING_DISCONNECT'] as const)(
    'is announced by %s a week ahead, and listed',
    async (code) => {
      const { id } = await connect();
      bank().announceDisconnect(item().item_id, code);
      const { consent_expires_at, status } = await expectStatus(id, 'needs_repair');
      expect(Date.parse(consent_expires_at ?? '') - Date.now()).toBeGreaterThan(6 * DAY);
      expect(status).toBe('needs_repair');
      expect(await expectListed(endingBy(Date.now() + 8 * DAY))).toEqual([id]);
    },
  );

  it('counts where it is announced within a day after a repair that did not renew the consent', async () => {
    const id = await connectUntil(Date.now() + 5 * DAY);
    await expectRepair(id);
    bank().announceDisconnect(item().item_id, 'PENDING_DISCONNECT');
    await expectStatus(id, 'needs_repair');
  });

  it('is learned of a connection that needs its repair already', async () => {
    const { id } = await connect();
    bank().breakLogin(item().item_id);
    await expectStatus(id, 'needs_repair');
    bank().announceDisconnect(item().item_id, 'PENDING_EXPIRATION');
    expect((await expectStatus(id, 'needs_repair')).consent_expires_at).not.toBeNull();
  });

  it('is another one after a repair', async () => {
    const id = await connectUntil(Date.now() + 5 * DAY);
    bank().signInAgain(item().item_id);
    await expectRepair(id);
    expect(Date.parse((await read(id)).consent_expires_at ?? '')).toBeGreaterThan(Date.now() + 170 * DAY);
  });

  it('is another one after the customer has signed in elsewhere', async () => {
    const { id } = await connect();
    bank().announceDisconnect(item().item_id, 'PENDING_EXPIRATION');
    await expectStatus(id, 'needs_repair');
    bank().repairLogin(item().item_id);
    const { consent_expires_at } = await expectStatus(id, 'active');
    expect(Date.parse(consent_expires_at ?? '')).toBeGreaterThan(Date.now() + 170 * DAY);
  });
});

describe('an announced end that is first delivered after the repair', () => {
  it.each(['PENDING_EXPIRATION', 'PENDING_DISCONNECT'] as const)('%s changes nothing', async (code) => {
    const id = await connectUntil(Date.now() + 5 * DAY);
    webhooks().hold();
    bank().announceDisconnect(item().item_id, code);
    bank().signInAgain(item().item_id);
    await expectRepair(id);
    const { consent_expires_at } = await read(id);
    await webhooks().release();
    expect((await expectStatus(id, 'active')).consent_expires_at).toBe(consent_expires_at);
  });

  it('changes nothing where the customer has signed in elsewhere', async () => {
    const id = await connectUntil(Date.now() + 5 * DAY);
    webhooks().hold();
    bank().announceDisconnect(item().item_id, 'PENDING_EXPIRATION');
    bank().repairLogin(item().item_id);
    await webhooks().release('reversed');
    await expectStatus(id, 'active');
  });

  it('another end that is announced after the repair needs another repair', async () => {
    const id = await connectUntil(Date.now() + 5 * DAY);
    bank().signInAgain(item().item_id);
    await expectRepair(id);
    bank().announceDisconnect(item().item_id, 'PENDING_EXPIRATION');
    const { consent_expires_at } = await expectStatus(id, 'needs_repair');
    expect(Date.parse(consent_expires_at ?? '')).toBeLessThan(Date.now() + 8 * DAY);
  });
});

describe('connections whose consent ends soon', () => {
  it('are listed, soon and ended ones, and no others', async () => {
    const soon = await connectUntil(Date.now() + 10 * DAY);
    const ended = await connectUntil(Date.now() - DAY, 'cus_2');
    const late = await connectUntil(Date.now() + 60 * DAY, 'cus_3');
    const { body } = await server.complete(
      await server.createSession({ customer_id: 'cus_4' }),
      await server.publicToken(),
    );
    expect(await expectListed(endingBy(Date.now() + 30 * DAY))).toEqual([soon, ended].sort());
    expect(await expectListed(`${endingBy(Date.now() + 30 * DAY)}&customer_id=cus_2`)).toEqual([ended]);
    expect((await expectListed('')).sort()).toEqual([soon, ended, late, body.connections[0].id].sort());
  });

  it('are not those that have ended themselves, unless these are asked for', async () => {
    const id = await connectUntil(Date.now() + 10 * DAY);
    await server.merchant('DELETE', `/v1/connections/${id}`);
    await settled();
    expect(await expectListed(endingBy(Date.now() + 30 * DAY))).toEqual([]);
    expect(await expectListed(`${endingBy(Date.now() + 30 * DAY)}&status=removed`)).toEqual([id]);
  });

  it.each(['soon', '2026-12-01', '20261201T000000Z'])('are not asked for by %s', async (text) => {
    const { status, body } = await server.merchant('GET', `/v1/connections?consent_expires_before=${text}`);
    expect([status, body.errors[0].path]).toEqual([422, 'consent_expires_before']);
  });
});
