import { afterEach, describe, expect, it } from 'vitest';
import type { CreateSessionRequest } from '../../widget/contract.ts';
import { debits, startWithDebits } from '../helpers/debits.ts';
import { TestServer } from '../helpers/server.ts';
import { throughLink } from '../helpers/through-link.ts';

let server: TestServer;
afterEach(() => server.close());

const { bank, read, returned } = debits(() => server);

const UPDATE_TOKEN = 'public-sandbox-99999999-9999-9999-9999-999999999999';
const text = (words: string, version: string) => ({ text: words, version });

async function expectAuthorized(request: Partial<CreateSessionRequest>, token: string) {
  const session = await server.createSession(request);
  await server.page(session, 'POST', '/link-token', {});
  const asked = await server.complete(session, token);
  expect(asked.body.code).toBe('authorization_required');
  const { text_sha256 } = asked.body.authorization;
  const { body } = await server.complete(session, token, { authorization: { accepted: true, text_sha256 } });
  expect(body.status).toBe('completed');
  return body.connections[0].id as string;
}

const evidence = async (id: string) => (await server.merchant('GET', `/v1/connections/${id}/evidence`)).body;

async function connected(more: Partial<CreateSessionRequest> = {}): Promise<string> {
  return expectAuthorized({ authorization: text('I authorize Acme.', '1'), ...more }, await server.publicToken());
}

describe('the purpose of a repair', () => {
  it.each([
    ['payout', undefined],
    ['payout', 'debit'],
    ['debit', 'payout'],
    ['debit', undefined],
  ] as const)('is that of its connection: %s, and not %s', async (purpose, asked) => {
    server = await startWithDebits();
    const { answer } = await server.connect({ purpose });
    const [{ id }] = answer.body.connections;
    const repair = await server.createSession({ connection: id, ...(asked ? { purpose: asked } : {}) });
    expect(repair.purpose).toBe(purpose);
    expect((await server.page(repair, 'POST', '/link-token', {})).body.purpose).toBe(purpose);
  });
});

describe('an authorization that is given in a repair', () => {
  it('is in the evidence after the first one, which stays as it is', async () => {
    server = await startWithDebits();
    const id = await connected();
    const first = (await evidence(id)).authorization;
    await expectAuthorized({ connection: id, authorization: text('I authorize Acme again.', '2') }, UPDATE_TOKEN);
    const { authorization, later_authorizations } = await evidence(id);
    expect(authorization).toEqual(first);
    expect(later_authorizations).toMatchObject([
      { text: 'I authorize Acme again.', version: '2', accepted_at: expect.any(String) },
    ]);
    expect((await read(id)).authorization).toEqual(first);
  });

  it('after an unauthorized return answers it, and is proof for two years after the end', async () => {
    server = await startWithDebits();
    const id = await connected();
    await returned(id, 'R10');
    expect((await read(id)).status).toBe('revoked');
    await expectAuthorized({ connection: id, authorization: text('I authorize Acme again.', '2') }, UPDATE_TOKEN);
    expect((await read(id)).status).toBe('active');
    await server.merchant('DELETE', '/v1/customers/cus_1');
    expect((await evidence(id)).later_authorizations).toHaveLength(1);
    server.clockOffset += 731 * 24 * 3600_000 + 1_000;
    await server.jobs.tick();
    const row = await server.storage.db.selectFrom('connections').selectAll().executeTakeFirstOrThrow();
    expect([row.authorization_receipt, row.later_authorizations]).toEqual([null, null]);
  });

  it('is printed on the page, escaped, with the merchant’s name', async () => {
    server = await startWithDebits();
    const id = await connected({ merchant: { id: 'm_1', name: 'Corner & Bakery' } });
    await expectAuthorized({ connection: id, authorization: text('<i>Again</i>', '2') }, UPDATE_TOKEN);
    const response = await server.request(`/v1/connections/${id}/evidence`, {
      headers: { Authorization: 'Bearer merchant-key-of-the-tests-0123456789', Accept: 'text/html' },
    });
    const page = await response.text();
    expect(page).toContain('&lt;i&gt;Again&lt;/i&gt;');
    expect(page).toContain('Corner &amp; Bakery');
  });

  it('that is not given leaves the evidence as it is', async () => {
    server = await startWithDebits();
    const id = await connected();
    const session = await server.createSession({ connection: id });
    await server.page(session, 'POST', '/link-token', {});
    await server.complete(session, UPDATE_TOKEN);
    expect((await evidence(id)).later_authorizations).toEqual([]);
  });
});

it('An authorization that is given when the same account is connected once more is in the evidence', async () => {
  server = await TestServer.start({ simulator: { linkEvents: true } });
  const request = { authorization: text('I authorize Acme.', '1') };
  const visit = async () => {
    const session = await server.createSession(request);
    const { body: link } = await server.page(session, 'POST', '/link-token', {});
    const { public_token, ...more } = await throughLink(server, link);
    const asked = await server.complete(session, public_token, more);
    const authorization = { accepted: true, text_sha256: asked.body.authorization.text_sha256 };
    return (await server.complete(session, public_token, { ...more, authorization })).body.connections[0].id;
  };
  const id = await visit();
  expect(await visit()).toBe(id);
  expect((await evidence(id)).later_authorizations).toMatchObject([{ text: 'I authorize Acme.', version: '1' }]);
});

describe('a repair', () => {
  it('reads again how the account was verified and who holds it', async () => {
    server = await startWithDebits();
    const id = await connected();
    const first = (await read(id)).verification;
    const known = { ...first, method: 'database', holder_category: 'business' };
    await server.storage.db
      .updateTable('connections')
      .set({ verification: JSON.stringify(known) })
      .execute();
    const session = await server.createSession({ connection: id });
    await server.page(session, 'POST', '/link-token', {});
    await server.complete(session, UPDATE_TOKEN);
    const { verification } = await read(id);
    expect(verification).toEqual({ ...first, verified_at: first.verified_at });
  });

  it('that brings new numbers verifies them now, and keeps the result about the owner', async () => {
    server = await startWithDebits();
    const identity = { first_name: 'Jane', last_name: 'Doe' };
    const session = await server.createSession({ identity });
    const { body } = await server.complete(session, await server.publicToken('user_owner_partial'));
    const { id } = body.connections[0];
    await expect.poll(async () => (await read(id)).verification.owner.status).toBe('partial');
    const before = (await read(id)).verification;
    server.clockOffset += 3600_000;
    const [item] = server.ledger.items();
    bank().signInAgain(item?.item_id ?? '', { newIds: true });
    const again = await server.createSession({ connection: id });
    await server.page(again, 'POST', '/link-token', {});
    await server.complete(again, UPDATE_TOKEN);
    const after = (await read(id)).verification;
    expect(Date.parse(after.verified_at ?? '')).toBeGreaterThan(Date.parse(before.verified_at ?? ''));
    expect(after.owner).toEqual(before.owner);
  });

  it('of an account whose verification was never kept fills it in', async () => {
    server = await startWithDebits();
    const id = await connected();
    await server.storage.db.updateTable('connections').set({ verification: null }).execute();
    const session = await server.createSession({ connection: id });
    await server.page(session, 'POST', '/link-token', {});
    await server.complete(session, UPDATE_TOKEN);
    expect((await read(id)).verification).toMatchObject({ method: 'instant', verified_at: expect.any(String) });
  });
});
