import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wireSchemas } from '../../server/http/openapi.ts';
import type { AuditEntry } from '../../server/records/audit.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { TestServer } from '../helpers/server.ts';

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
