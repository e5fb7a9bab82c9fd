import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wireSchemas } from '../../server/http/openapi.ts';
import type { AuditEntry } from '../../server/records/audit.ts';
import type { Session } from '../../widget/contract.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { TestServer } from '../helpers/server.ts';
import { throughLink } from '../helpers/through-link.ts';

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.start();
});
afterEach(() => server.close());

const { bank, item, connect, settled } = connectionLifecycle(() => server);

async function expectAudit(id: string): Promise<AuditEntry[]> {
  const { status, body } = await server.merchant('GET', `/v1/connections/${id}/audit?limit=100`);
  expect(status).toBe(200);
  wireSchemas.AuditList.parse(body);
  return body.data as AuditEntry[];
}

describe('the audit of a connection', () => {
  it('the audit of a connection names who did what, from the session to the removal', async () => {
    const { id } = await connect();
    bank().revokePermission(item().item_id);
    await settled();
    bank().signInAgain(item().item_id);
    const repair = await server.createSession({ connection: id });
    await server.page(repair, 'POST', '/link-token', {});
    await server.page(repair, 'POST', '/link-token', {});
    await server.complete(repair, 'public-sandbox-99999999-9999-9999-9999-999999999999');
    await server.merchant('DELETE', `/v1/connections/${id}`);
    const entries = (await expectAudit(id)).map(({ actor, action }) => `${actor} ${action}`);
    for (const expected of [
      'merchant session.created',
      'page public_token.accepted',
      'job connection.created',
      'job connection.active',
      'job session.completed',
      'plaid connection.revoked',
      'page link_token.created',
      'merchant connection.removal_requested',
      'job connection.removed',
    ]) {
      expect(entries).toContain(expected);
    }
    expect(entries.indexOf('plaid connection.revoked')).toBeGreaterThan(entries.indexOf('job connection.active'));
  });

  it('the audit of a connection keeps how its customer agreed until two years after its end, and nothing of others', async () => {
    server.upstream.simulator.settings.linkEvents = true;
    const authorization = { text: 'I authorize Acme to debit my account.', version: '1' };
    const agreed = async (at: Session) => {
      const { body: link } = await server.page(at, 'POST', '/link-token', {});
      const submission = await throughLink(server, link);
      const asked = await server.complete(at, submission.public_token, submission);
      const accepted = { accepted: true, text_sha256: asked.body.authorization.text_sha256 };
      return server.complete(at, submission.public_token, { ...submission, authorization: accepted });
    };
    const link = await server.merchant('POST', '/v1/links', { customer_id: 'cus_1', authorization });
    const opened = await server.send('POST', `/c/${link.body.url.split('/').at(-1)}/session`, undefined, {});
    const [secret, id] = [
      opened.body.client_secret as string,
      (opened.body.client_secret as string).split('_secret_')[0],
    ];
    const first = { id, client_secret: secret } as Session;
    const { body } = await agreed(first);
    const connection = body.connections[0].id;
    // The same account again, which ends with the same connection.
    const again = await server.createSession({ authorization });
    expect((await agreed(again)).body.connections[0].id).toBe(connection);
    // A customer who connects no bank.
    const other = await server.createSession({ customer_id: 'cus_2' });
    await server.merchant('POST', `/v1/sessions/${other.id}/cancel`);
    await settled();

    const actionsOf = async ({ id: session }: Session) =>
      (await server.storage.db.selectFrom('audit').select('action').where('session_id', '=', session).execute()).map(
        ({ action }) => action,
      );
    const before = [await actionsOf(first), await actionsOf(again)];
    const linkEntries = (
      await server.storage.db.selectFrom('audit').select('id').where('link_id', '=', link.body.id).execute()
    ).length;
    expect(before).toEqual([
      expect.arrayContaining(['session.created', 'authorization.accepted', 'public_token.accepted']),
      expect.arrayContaining(['session.created', 'authorization.accepted', 'connection.recognized']),
    ]);
    // Two years of which one is a leap year have 731 days.
    server.clockOffset = 732 * 24 * 3600_000;
    await server.jobs.tick();
    expect([await actionsOf(first), await actionsOf(again)]).toEqual(before);
    expect(await actionsOf(other)).toEqual([]);
    expect(
      await server.storage.db.selectFrom('audit').select('id').where('link_id', '=', link.body.id).execute(),
    ).toHaveLength(linkEntries);

    await server.merchant('DELETE', `/v1/connections/${connection}`);
    await settled();
    server.clockOffset += 732 * 24 * 3600_000;
    await server.jobs.tick();
    expect(await server.storage.db.selectFrom('audit').select('action').execute()).toEqual([]);
  });

  it('the audit of a connection gives reasons', async () => {
    const { id } = await connect();
    bank().revokePermission(item().item_id);
    await settled();
    const entry = (await expectAudit(id)).find(({ action }) => action === 'connection.revoked');
    expect(entry?.details).toMatchObject({
      reason: 'USER_PERMISSION_REVOKED',
      webhook: 'ITEM/USER_PERMISSION_REVOKED',
    });
  });

  it('the audit of a connection holds no secret', async () => {
    const session = await server.createSession({ identity: { first_name: 'Ada' } });
    const link = await server.page(session, 'POST', '/link-token', {});
    const token = await server.publicToken();
    await server.complete(session, token);
    const rows = JSON.stringify(await server.storage.db.selectFrom('audit').selectAll().execute());
    const secrets = [token, link.body.link_token, session.client_secret, item().access_token, 'Ada'];
    for (const secret of [...secrets, ...server.ledger.processorTokens()]) expect(rows).not.toContain(secret);
  });

  it('the audit of a connection cannot be changed through the API', async () => {
    await connect();
    const change = server.storage.db.updateTable('audit').set({ actor: 'job' }).execute();
    await expect(change).rejects.toThrow(/audit rows are never changed/);
  });

  it('the audit of a connection is paged, and for the merchant only', async () => {
    const { session, id } = await connect();
    const all = await expectAudit(id);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await server.merchant(
        'GET',
        `/v1/connections/${id}/audit?limit=2${cursor && `&cursor=${cursor}`}`,
      );
      seen.push(...body.data.map((entry: AuditEntry) => entry.id));
      cursor = body.next_cursor ?? '';
    } while (cursor);
    expect(seen).toEqual(all.map((entry) => entry.id));
    const headers = { Authorization: `Bearer ${session.client_secret}` };
    expect((await server.send('GET', `/v1/connections/${id}/audit`, undefined, headers)).status).toBe(401);
    expect((await server.merchant('GET', '/v1/connections/con_none/audit')).status).toBe(404);
  });
});

describe('the audit of all merchants', () => {
  const merchants = ['m_bakery', 'm_gym'] as const;

  async function expectEntries(query: string): Promise<AuditEntry[]> {
    const { status, body } = await server.merchant('GET', `/v1/audit?limit=100${query}`);
    expect([query, status]).toEqual([query, 200]);
    wireSchemas.AuditList.parse(body);
    return body.data as AuditEntry[];
  }

  /** A link that is opened, and an account that is connected and removed. @returns their ids */
  async function play(id: string, customer_id: string) {
    const merchant = { id, name: id };
    const link = (await server.merchant('POST', '/v1/links', { customer_id, merchant })).body;
    const path = `${new URL(link.url).pathname}/session`;
    const opened = await server.send('POST', path, undefined, { Origin: 'http://localhost:3000' });
    const session = await server.createSession({ customer_id, merchant });
    const { body } = await server.complete(session, await server.publicToken());
    const [{ id: connection }] = body.connections;
    await server.merchant('DELETE', `/v1/connections/${connection}`);
    return { link: link.id, opened: opened.body.session, session: session.id, connection };
  }

  it('the audit is filtered by merchant, and holds each entry of its links, sessions and connections once', async () => {
    const [bakery, gym] = [await play(merchants[0], 'cus_1'), await play(merchants[1], 'cus_2')];
    await server.createSession({ customer_id: 'cus_3' });
    const all = await expectEntries('');
    const about = (ids: Record<string, string>) =>
      all.filter(({ link, session, connection }) =>
        [link, session, connection].some((id) => id !== null && Object.values(ids).includes(id)),
      );
    for (const [merchant, ids] of [
      [merchants[0], bakery],
      [merchants[1], gym],
    ] as const) {
      const own = await expectEntries(`&merchant_id=${merchant}`);
      expect(own).toEqual(about(ids));
      const actions = own.map(({ action }) => action);
      for (const action of [
        'link.created',
        'link.opened',
        'session.created',
        'connection.active',
        'connection.removed',
      ]) {
        expect(actions).toContain(action);
      }
    }
    expect(all.length).toBeGreaterThan(about(bakery).length + about(gym).length);
    expect(await expectEntries('&merchant_id=m_other')).toEqual([]);
  });

  it('the audit of a link has its entries, and those of the sessions behind it', async () => {
    const ids = await play(merchants[0], 'cus_1');
    const entries = await expectEntries(`&link=${ids.link}`);
    expect(entries.map(({ action, link }) => [action, link])).toEqual(
      expect.arrayContaining([
        ['link.created', ids.link],
        ['link.opened', ids.link],
      ]),
    );
    expect(new Set(entries.map(({ session }) => session))).toEqual(new Set([null, ids.opened]));
    expect(await expectEntries(`&link=${ids.link}&merchant_id=${merchants[1]}`)).toEqual([]);
    expect(await expectEntries(`&link=${ids.link}&merchant_id=${merchants[0]}`)).toEqual(entries);
  });

  it.each(['session', 'connection'] as const)('the audit is filtered by %s', async (name) => {
    const ids = await play(merchants[0], 'cus_1');
    await play(merchants[1], 'cus_2');
    const entries = await expectEntries(`&${name}=${ids[name]}`);
    expect(entries.length).toBeGreaterThan(0);
    expect(new Set(entries.map((entry) => entry[name]))).toEqual(new Set([ids[name]]));
  });

  it('the audit of a merchant is paged without a gap, and for the merchant only', async () => {
    await play(merchants[0], 'cus_1');
    const all = await expectEntries(`&merchant_id=${merchants[0]}`);
    const seen: AuditEntry[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await server.merchant('GET', `/v1/audit?merchant_id=${merchants[0]}&limit=2${cursor}`);
      seen.push(...body.data);
      if (!body.has_more) break;
      cursor = `&cursor=${body.next_cursor}`;
    }
    expect(seen).toEqual(all);
    expect((await server.send('GET', '/v1/audit', undefined, { Origin: 'https://shop.example' })).status).toBe(401);
    expect(await server.merchant('GET', '/v1/audit?merchant=m_bakery')).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'merchant' }] },
    });
  });
});
