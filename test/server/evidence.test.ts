import { compactVerify, createLocalJWKSet, decodeProtectedHeader } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { debits, startWithDebits } from '../helpers/debits.ts';
import { MERCHANT_KEY, TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const { read, returned } = debits(() => server);

const DAY_MS = 24 * 3600_000;
const TEXT = 'I authorize Acme to debit my account <b>monthly</b> & on demand.';

async function connected(customer_id = 'cus_1'): Promise<string> {
  const session = await server.createSession({
    customer_id,
    authorization: { text: TEXT, version: '7' },
    language: 'en',
  });
  const asked = await server.complete(session, 'public-sandbox-x');
  const { text_sha256 } = asked.body.authorization;
  const { body } = await server.complete(session, await server.publicToken(), {
    link_session_id: 'link-session-9',
    authorization: { accepted: true, text_sha256 },
  });
  return body.connections[0].id;
}

const evidence = (id: string) => server.merchant('GET', `/v1/connections/${id}/evidence`);

async function bytesOf(from: TestServer, id: string, Accept = 'application/json'): Promise<string> {
  const Authorization = `Bearer ${MERCHANT_KEY}`;
  return (await from.request(`/v1/connections/${id}/evidence`, { headers: { Authorization, Accept } })).text();
}

async function verified(jws: string): Promise<unknown> {
  const { keys } = (await server.send('GET', '/.well-known/jwks.json', undefined, {})).body;
  const { payload } = await compactVerify(jws, createLocalJWKSet({ keys }));
  return JSON.parse(new TextDecoder().decode(payload));
}

describe('evidence', () => {
  it('evidence has the exact text, when, from where, how the account was verified, and a signature that anyone can check', async () => {
    server = await startWithDebits();
    const id = await connected();
    const { status, body } = await evidence(id);
    expect(status).toBe(200);
    const { payment_instrument } = await read(id);
    expect(body).toMatchObject({
      connection: id,
      customer_id: 'cus_1',
      authorization: {
        text: TEXT,
        version: '7',
        language: 'en',
        text_sha256: expect.any(String),
        accepted_at: expect.any(String),
      },
      verification: { method: 'instant' },
      link_session_id: 'link-session-9',
      payment_instruments: [{ id: payment_instrument }],
      events: [{ action: 'connection.active' }],
    });
    const { jws, ...document } = body;
    expect(await verified(jws)).toEqual(document);
  });

  it('evidence is the same bytes for the same facts, and has the returns and the end', async () => {
    server = await startWithDebits();
    const id = await connected();
    const [json, page] = [await bytesOf(server, id), await bytesOf(server, id, 'text/html')];
    const other = await TestServer.start({ upstream: server.upstream, storage: server.storage });
    expect([await bytesOf(other, id), await bytesOf(other, id, 'text/html')]).toEqual([json, page]);
    await other.close();
    expect(await bytesOf(server, id)).toBe(json);
    await returned(id, 'R10');
    const { body } = await evidence(id);
    expect(body.returns).toMatchObject([{ code: 'R10', amount: 5_000 }]);
    expect(body.events.at(-1)).toMatchObject({ action: 'connection.revoked', reason: 'return_R10', actor: 'finix' });
  });

  it('evidence is signed also where the database has to be asked for its time at that moment', async () => {
    server = await startWithDebits();
    const id = await connected();
    const storage = { ...server.storage, now: () => server.storage.now(true) };
    const other = await TestServer.start({ upstream: server.upstream, storage });
    expect(JSON.parse(await bytesOf(other, id))).toMatchObject({ connection: id, jws: expect.any(String) });
    await other.close();
  });

  it('evidence outlives removal and erasure, then without what identifies the customer, and ends after two years', async () => {
    server = await startWithDebits();
    const id = await connected();
    const { body: before } = await evidence(id);
    await server.merchant('DELETE', '/v1/customers/cus_1');
    const { status, body } = await evidence(id);
    expect([status, body.customer_id, body.account.name, body.account.mask]).toEqual([200, null, null, null]);
    // The bank is part of what is proved, and names no person.
    expect(body.institution).toEqual(before.institution);
    expect(before).toMatchObject({ institution: { id: 'ins_109508', name: expect.stringMatching(/\w/) } });
    expect(body.authorization.text).toBe(TEXT);
    // Two years of which one is a leap year have 731 days.
    server.clockOffset += 731 * DAY_MS - 60_000;
    expect((await evidence(id)).status).toBe(200);
    server.clockOffset += 2 * 60_000;
    expect((await evidence(id)).status).toBe(404);
  });

  it('evidence names a customer whose own id begins like that of an erased one', async () => {
    server = await startWithDebits();
    const id = await connected('erased_by_mistake');
    expect((await evidence(id)).body.customer_id).toBe('erased_by_mistake');
  });

  it('evidence is signed by the first of EVIDENCE_KEYS, and a key that has left the setting stays published', async () => {
    const [old, next] = [Buffer.alloc(32, 3).toString('base64'), Buffer.alloc(32, 4).toString('base64')];
    server = await startWithDebits({ env: { EVIDENCE_KEYS: old } });
    const id = await connected();
    const before = (await evidence(id)).body.jws;
    const rotated = await TestServer.start({
      upstream: server.upstream,
      storage: server.storage,
      env: { EVIDENCE_KEYS: next },
    });
    const after = (await rotated.merchant('GET', `/v1/connections/${id}/evidence`)).body.jws;
    expect(decodeProtectedHeader(after).kid).not.toBe(decodeProtectedHeader(before).kid);
    const { keys } = (await rotated.send('GET', '/.well-known/jwks.json', undefined, {})).body;
    for (const jws of [before, after]) await compactVerify(jws, createLocalJWKSet({ keys }));
    expect(JSON.stringify(keys)).not.toContain('"d"');
    await rotated.close();
  });

  it('evidence is a page to print for a browser, with the text escaped', async () => {
    server = await startWithDebits();
    const id = await connected();
    const response = await server.request(`/v1/connections/${id}/evidence`, {
      headers: {
        Authorization: `Bearer ${MERCHANT_KEY}`,
        Accept: 'text/html,application/json;q=0.9',
      },
    });
    const page = await response.text();
    expect(response.headers.get('content-type'), page).toContain('text/html');
    expect(page).toContain('I authorize Acme to debit my account &lt;b&gt;monthly&lt;/b&gt; &amp; on demand.');
    expect(page).toContain('link-session-9');
    const { owner } = (await evidence(id)).body.verification;
    expect(page).toContain(`<dt>Owner, overall</dt><dd>${owner.status}</dd>`);
    if (process.env['EVIDENCE_PAGE'])
      await (await import('node:fs/promises')).writeFile(process.env['EVIDENCE_PAGE'], page);
  });

  it('the page of evidence without an instrument states that in place of a table without rows', async () => {
    server = await startWithDebits();
    const session = await server.createSession({ customer_id: 'cus_1' });
    await server.complete(session, await server.publicToken('user_finix_refuses'));
    const { id } = await server.storage.db.selectFrom('connections').select('id').executeTakeFirstOrThrow();
    expect((await evidence(id)).body).toMatchObject({ payment_instruments: [] });
    const page = await bytesOf(server, id, 'text/html');
    expect(page).toMatch(/Payment instruments<\/h2>\s*<p>None\.<\/p>\s*<h2>Status/);
    expect(page).not.toContain('<tbody></tbody>');
  });

  it.each([
    ['text/html;q=0.1, application/json', 'application/json'],
    ['application/json;q=0.1, text/html', 'text/html'],
    ['text/html;q=0, */*', 'application/json'],
    ['*/*, text/html;q=0.1', 'application/json'],
    ['application/*, text/html;q=0.5', 'application/json'],
    ['text/html, application/json', 'text/html'],
    ['application/xhtml+xml, TEXT/HTML, */*', 'text/html'],
    ['text/*', 'text/html'],
    ['*/*', 'application/json'],
    ['', 'application/json'],
  ])('evidence for Accept: %s is %s', async (Accept, type) => {
    server = await startWithDebits();
    const id = await connected();
    const Authorization = `Bearer ${MERCHANT_KEY}`;
    const response = await server.request(`/v1/connections/${id}/evidence`, { headers: { Authorization, Accept } });
    expect(response.headers.get('content-type')).toContain(type);
  });

  it('evidence is for the merchant only', async () => {
    server = await startWithDebits();
    expect((await server.send('GET', '/v1/connections/con_1/evidence', undefined, {})).status).toBe(401);
    expect((await evidence('con_none')).status).toBe(404);
  });
});
