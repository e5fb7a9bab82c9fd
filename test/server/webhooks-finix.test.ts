import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { eventually, TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const { webhooks, bank, enabled, settled, item, events, changeInstrument, connect, read, expectStatus } =
  connectionLifecycle(() => server);

const FINIX_SECRET = 'f'.repeat(64);

describe('a webhook of Finix’s', () => {
  const finix = (body: string, signature?: string) =>
    server.send('POST', '/webhooks/finix', body, signature ? { 'Finix-Signature': signature } : {});

  it('a webhook of Finix’s with an empty body is answered 200, with a secret or without', async () => {
    server = await TestServer.start();
    expect((await server.request('/webhooks/finix', { method: 'POST' })).status).toBe(200);
    await server.close();
    server = await TestServer.start({ env: { FINIX_WEBHOOK_SECRET: FINIX_SECRET } });
    expect((await server.request('/webhooks/finix', { method: 'POST', body: '' })).status).toBe(200);
    expect(await events()).toEqual([]);
  });

  describe('sent in chunks, without a signature', () => {
    const chunked = (...chunks: string[]) =>
      server.request('/webhooks/finix', {
        method: 'POST',
        headers: { 'Transfer-Encoding': 'chunked' },
        body: new ReadableStream({
          start(controller) {
            for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
            controller.close();
          },
        }),
        duplex: 'half',
      } as RequestInit);

    it('an empty body is answered 200, with a secret or without', async () => {
      server = await TestServer.start();
      expect((await chunked()).status).toBe(200);
      await server.close();
      server = await TestServer.start({ env: { FINIX_WEBHOOK_SECRET: FINIX_SECRET } });
      expect((await chunked()).status).toBe(200);
      expect(await events()).toEqual([]);
    });

    it('a body is refused after its first bytes', async () => {
      server = await TestServer.start({ env: { FINIX_WEBHOOK_SECRET: FINIX_SECRET } });
      expect((await chunked('', '{', '}')).status).toBe(401);
    });
  });

  it('a webhook of Finix’s with a body is refused without a secret', async () => {
    server = await TestServer.start();
    expect((await finix('{}', webhooks().signFinix('{}', FINIX_SECRET))).status).toBe(401);
  });

  it.each<[string, (body: string) => string | undefined]>([
    ['no signature', () => undefined],
    ['another key', (body) => webhooks().signFinix(body, 'e'.repeat(64))],
    ['another body', (body) => webhooks().signFinix(`${body} `, FINIX_SECRET)],
    ['a signature of six minutes ago', (body) => webhooks().signFinix(body, FINIX_SECRET, Date.now() - 360_000)],
    ['half a signature', () => `timestamp=${Math.floor(Date.now() / 1000)}, sig=abc`],
  ])('a webhook of Finix’s with %s is refused, and nothing is stored', async (_name, sign) => {
    server = await TestServer.start({ env: { FINIX_WEBHOOK_SECRET: FINIX_SECRET } });
    const body = JSON.stringify({ id: 'event_1', type: 'updated', entity: 'instrument' });
    expect((await finix(body, sign(body))).status).toBe(401);
    expect(await events()).toEqual([]);
  });

  it('a webhook of Finix’s is accepted with either secret while a secret is rotated', async () => {
    const next = 'e'.repeat(64);
    server = await TestServer.start({ env: { FINIX_WEBHOOK_SECRET: `${FINIX_SECRET},${next}` } });
    const body = JSON.stringify({ id: 'event_1', type: 'updated', entity: 'instrument' });
    for (const secret of [FINIX_SECRET, next]) {
      expect((await finix(body, webhooks().signFinix(body, secret))).status).toBe(200);
    }
    expect((await finix(body, webhooks().signFinix(body, `${FINIX_SECRET},${next}`))).status).toBe(401);
  });

  describe('about an instrument', () => {
    beforeEach(async () => {
      server = await TestServer.start({ env: { FINIX_WEBHOOK_SECRET: FINIX_SECRET } });
      webhooks().settings.finix = { url: `${server.config.publicUrl}/webhooks/finix`, secret: FINIX_SECRET };
    });

    it('an instrument disabled at Finix: the connection is revoked, and active once it is enabled again', async () => {
      const { id } = await connect();
      const { payment_instrument } = await read(id);
      await changeInstrument(id, { enabled: false });
      await expectStatus(id, 'revoked');
      await changeInstrument(id, { enabled: true });
      expect((await expectStatus(id, 'active')).payment_instrument).toBe(payment_instrument);
    });

    it.each<[string, () => void]>([
      ['whose login has broken', () => bank().breakLogin(item().item_id)],
      ['whose account numbers are no longer shared', () => bank().withholdNumbers(item().item_id)],
    ])('an instrument %s in the meantime needs repair once it is enabled at Finix', async (_name, happen) => {
      const { id } = await connect();
      await changeInstrument(id, { enabled: false });
      await expectStatus(id, 'revoked');
      happen();
      await expectStatus(id, 'revoked');
      await changeInstrument(id, { enabled: true });
      await expectStatus(id, 'needs_repair');
      bank().repairLogin(item().item_id);
      await expectStatus(id, 'active');
    });

    it('an instrument disabled at Finix stays disabled when another account of the login is repaired', async () => {
      const session = await server.createSession({ account_selection: 'multiple' });
      const { body } = await server.complete(session, await server.publicToken('user_several'));
      const [disabled = '', broken = ''] = body.connections.map(({ id }: { id: string }) => id) as string[];
      await changeInstrument(disabled, { enabled: false });
      const { payment_instrument } = await expectStatus(disabled, 'revoked');
      bank().breakLogin(item().item_id);
      await expectStatus(broken, 'needs_repair');
      bank().signInAgain(item().item_id);
      const repair = await server.createSession({ connection: broken });
      expect((await server.page(repair, 'POST', '/link-token', {})).status).toBe(200);
      const { body: repaired } = await server.complete(repair, 'public-sandbox-99999999-9999-9999-9999-999999999999');
      expect(repaired.status).toBe('completed');
      await expectStatus(broken, 'active');
      expect((await expectStatus(disabled, 'revoked')).payment_instrument).toBe(payment_instrument);
      expect(enabled()).not.toContain(payment_instrument);
      expect(enabled()).toHaveLength(3);
    });

    it.each<[string, () => void]>([
      ['the customer has revoked the permission', () => bank().revokePermission(item().item_id)],
      ['the bank has changed the account’s numbers', () => bank().renumber(item().item_id)],
    ])('an instrument disabled at Finix stays disabled when it is enabled there after %s', async (_name, happen) => {
      const { id } = await connect();
      await changeInstrument(id, { enabled: false });
      await expectStatus(id, 'revoked');
      happen();
      await expectStatus(id, 'revoked');
      await changeInstrument(id, { enabled: true });
      await expectStatus(id, 'revoked');
      await eventually(async () => {
        await server.jobs.tick();
        return enabled().length === 0;
      });
    });

    it.each<[string, 'removed' | 'active', (id: string) => unknown]>([
      ['of a removed connection', 'removed', (id) => server.merchant('DELETE', `/v1/connections/${id}`)],
      ['that a renewal has replaced', 'active', () => bank().renumber(item().item_id)],
    ])('an instrument %s that is enabled at Finix is disabled again', async (_name, status, happen) => {
      const { id } = await connect();
      const [old] = enabled();
      await happen(id);
      await settled();
      await eventually(async () => {
        await server.jobs.tick();
        return (await read(id)).status === status && !enabled().includes(old ?? '');
      });
      webhooks().hold();
      await changeInstrument(id, { enabled: true }, old);
      expect(enabled()).toContain(old);
      await webhooks().release();
      await eventually(async () => {
        await server.jobs.tick();
        return !enabled().includes(old ?? '');
      });
      await expectStatus(id, status);
      expect(enabled()).toHaveLength(status === 'active' ? 1 : 0);
    });

    it('changes of an instrument out of order: what is true at Finix counts', async () => {
      const { id } = await connect();
      await webhooks().settled();
      webhooks().hold();
      await changeInstrument(id, { enabled: false });
      await changeInstrument(id, { enabled: true });
      await webhooks().release('reversed');
      await expectStatus(id, 'active');
    });

    it('a check of an instrument that has an outcome: the merchant sees it', async () => {
      const { id } = await connect();
      await changeInstrument(id, { attempt_bank_account_validation_check: true });
      expect((await expectStatus(id, 'active')).bank_account_validation_check).toBe('VALID');
    });

    it('an instrument that our own renewal has disabled changes nothing, and no token of it is stored', async () => {
      const { id } = await connect();
      bank().renumber(item().item_id);
      await expectStatus(id, 'active');
      for (const secret of server.ledger.processorTokens()) {
        expect(JSON.stringify(await events())).not.toContain(secret);
      }
    });
  });
});
