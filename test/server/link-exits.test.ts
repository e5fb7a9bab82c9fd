import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAuditDetails } from '../../server/records/columns.ts';
import { TestServer } from '../helpers/server.ts';

const EXIT = {
  link_session_id: '79e772be-547d-4c9c-8b76-4ac4ed4c441a',
  request_id: 'm8MDnv9okwxFNBV',
  institution_id: 'ins_56',
  status: 'requires_credentials',
  error_code: 'ITEM_LOCKED',
};

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.start();
});
afterEach(() => server.close());

async function exitsInAudit(): Promise<{ session: string | null; details: unknown }[]> {
  const rows = await server.storage.db.selectFrom('audit').selectAll().where('action', '=', 'link.exited').execute();
  return rows.map((row) => ({ session: row.session_id, details: readAuditDetails(row.details) }));
}

describe('the report of how Link ended', () => {
  it('the report of how Link ended is kept in the session’s audit, in every status', async () => {
    const session = await server.createSession();
    const open = await server.page(session, 'POST', '/link-exit', EXIT);
    expect([open.status, open.body]).toEqual([204, undefined]);
    await server.complete(session, await server.publicToken());
    expect((await server.page(session, 'POST', '/link-exit', { status: 'requires_code' })).status).toBe(204);
    expect(await exitsInAudit()).toEqual([
      { session: session.id, details: EXIT },
      { session: session.id, details: { status: 'requires_code' } },
    ]);
  });

  it('the report of how Link ended is kept without what is not one of Plaid’s ids or names', async () => {
    const session = await server.createSession();
    const odd = { ...EXIT, request_id: 'a b\n<script>', institution_id: 'x'.repeat(101), status: null, error_code: 5 };
    expect((await server.page(session, 'POST', '/link-exit', odd)).status).toBe(204);
    expect(await exitsInAudit()).toEqual([{ session: session.id, details: { link_session_id: EXIT.link_session_id } }]);
  });

  it('the report of how Link ended is refused without the client secret, and with fields that it does not have', async () => {
    const session = await server.createSession();
    const other = await server.createSession();
    const foreign = { ...session, client_secret: other.client_secret };
    expect((await server.page(foreign, 'POST', '/link-exit', EXIT)).status).toBe(401);
    const more = await server.page(session, 'POST', '/link-exit', { ...EXIT, public_token: 'public-sandbox-1' });
    expect([more.status, more.body.errors]).toEqual([
      422,
      [{ path: 'public_token', message: 'is not a field of this request' }],
    ]);
    expect(await exitsInAudit()).toEqual([]);
  });

  it('the report of how Link ended is limited for each session', async () => {
    const session = await server.createSession();
    let last = 0;
    for (let i = 0; i < 61; i++) last = (await server.page(session, 'POST', '/link-exit', EXIT)).status;
    expect(last).toBe(429);
    expect(await exitsInAudit()).toHaveLength(60);
    const other = await server.createSession();
    expect((await server.page(other, 'POST', '/link-exit', EXIT)).status).toBe(204);
  });

  it('the report of how Link ended counts for the limit also where its content is refused', async () => {
    const session = await server.createSession();
    await server.page(session, 'POST', '/link-exit', 'no JSON');
    await server.page(session, 'POST', '/link-exit', { other: 1 });
    const rows = await server.storage.db
      .selectFrom('rate_limits')
      .select('hits')
      .where('bucket', '=', `link-exit:${session.id}`)
      .execute();
    expect(rows).toEqual([{ hits: 2 }]);
  });
});
