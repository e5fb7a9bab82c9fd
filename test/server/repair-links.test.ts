import { afterEach, describe, expect, it } from 'vitest';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { TestServer } from '../helpers/server.ts';

let server: TestServer;
let receiver: Receiver | undefined;
afterEach(async () => {
  await server.close();
  await receiver?.close();
  receiver = undefined;
});

const { bank, item, connect, expectStatus, settled } = connectionLifecycle(() => server);

const UPDATE_TOKEN = 'public-sandbox-99999999-9999-9999-9999-999999999999';
const OWN = { Origin: 'http://localhost:3000' };

async function start(env: Record<string, string> = { REPAIR_LINKS: 'on' }): Promise<Receiver> {
  receiver = await startReceiver();
  server = await TestServer.start({
    env: { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET, ...env },
  });
  return receiver;
}

const events = (type = 'connection.needs_repair') =>
  (receiver?.received ?? []).filter(({ body }) => body.type === type);

async function broken(request: object = {}): Promise<string> {
  const { answer } = await server.connect(request);
  const [{ id }] = answer.body.connections;
  bank().breakLogin(item().item_id);
  await expectStatus(id, 'needs_repair');
  await server.jobs.tick();
  return id;
}

const open = (url: string) => server.send('POST', `${new URL(url).pathname}/session`, undefined, OWN);
const page = (url: string) => server.request(new URL(url).pathname);
const links = async () => (await server.merchant('GET', '/v1/links')).body.data;

describe('with REPAIR_LINKS=on', () => {
  it('the event of a broken login carries a link that repairs the connection', async () => {
    await start();
    const id = await broken();
    const [event] = events();
    expect(event?.isSigned).toBe(true);
    const { repair_link } = event?.body ?? {};
    expect(repair_link).toMatchObject({
      id: expect.stringMatching(/^lnk_/),
      url: expect.stringMatching(/^http:\/\/localhost:3000\/c\/[\w-]{43}$/),
      expires_at: expect.any(String),
    });
    const { body } = await open(repair_link.url);
    const session = { id: body.session, client_secret: body.client_secret } as never;
    expect((await server.page(session, 'POST', '/link-token', {}, OWN)).status).toBe(200);
    bank().signInAgain(item().item_id);
    const completed = await server.complete(session, UPDATE_TOKEN);
    expect(completed.body).toMatchObject({ status: 'completed', connections: [{ id, status: 'active' }] });
    expect((await links())[0]).toMatchObject({ id: repair_link.id, status: 'completed', mode: 'repair' });
  });

  it('the address is in no table and no log, also once it is opened, and the same in every attempt', async () => {
    const { answer } = await start();
    if (receiver) receiver.answer = { ...answer, status: 500 };
    await broken();
    const { url } = events()[0]?.body.repair_link ?? {};
    const path = new URL(url).pathname;
    expect([(await page(url)).status, (await open(url)).status]).toEqual([200, 201]);
    const rows = await Promise.all(
      (['deliveries', 'links', 'audit', 'connections', 'sessions'] as const).map((table) =>
        server.storage.db.selectFrom(table).selectAll().execute(),
      ),
    );
    expect(JSON.stringify(rows)).not.toContain(path.slice('/c/'.length + 22));
    server.clockOffset += 3600_000;
    await server.jobs.tick();
    expect(events().length).toBeGreaterThan(1);
    expect(new Set(events().map(({ text }) => text)).size).toBe(1);
    expect(server.lines.join('')).not.toContain(path.slice('/c/'.length));
  });

  it('a login that breaks again within days gets the same link', async () => {
    await start();
    await broken();
    bank().repairLogin(item().item_id);
    await settled();
    bank().breakLogin(item().item_id);
    await settled();
    await server.jobs.tick();
    expect(events()).toHaveLength(2);
    expect(new Set(events().map(({ body }) => body.repair_link.url)).size).toBe(1);
    expect(await links()).toHaveLength(1);
  });

  it('the page names the merchant who has the permission, in the session’s language', async () => {
    await start();
    await broken({ merchant: { id: 'm_1', name: 'Corner Bakery' }, language: 'es' });
    const html = await (await page(events()[0]?.body.repair_link.url)).text();
    expect(html).toContain('Corner Bakery');
    expect(html).toContain('<html lang="es"');
    expect((await links())[0]).toMatchObject({ customer_id: 'cus_1' });
  });

  it('a link that is over by the time of an attempt is left out', async () => {
    await start();
    if (receiver) receiver.answer = { status: 500 };
    const id = await broken();
    const { repair_link } = events()[0]?.body ?? {};
    await server.merchant('POST', `/v1/links/${repair_link.id}/revoke`);
    server.clockOffset += 3600_000;
    await server.jobs.tick();
    expect(events().at(-1)?.body).not.toHaveProperty('repair_link');
    expect(events().at(-1)?.body.data.id).toBe(id);
  });

  it('only that event carries one', async () => {
    await start();
    await broken();
    const others = (receiver?.received ?? []).filter(({ body }) => body.type !== 'connection.needs_repair');
    expect(others.length).toBeGreaterThan(0);
    for (const { body } of others) expect(body).not.toHaveProperty('repair_link');
  });

  it('an erasure ends it', async () => {
    await start();
    await broken();
    const { url } = events()[0]?.body.repair_link ?? {};
    await server.merchant('DELETE', '/v1/customers/cus_1');
    expect((await page(url)).status).toBe(404);
    expect((await open(url)).status).toBe(404);
  });
});

it('With REPAIR_LINKS=off, which is the default, the event carries no link', async () => {
  await start({});
  await broken();
  expect(events()).toHaveLength(1);
  expect(events()[0]?.body).not.toHaveProperty('repair_link');
  expect(await links()).toEqual([]);
});

describe('a repair link whose connection can no longer be repaired', () => {
  it.each([
    ['removed', (id: string) => server.merchant('DELETE', `/v1/connections/${id}`)],
    [
      'failed',
      (id: string) =>
        server.storage.db.updateTable('connections').set({ status: 'failed' }).where('id', '=', id).execute(),
    ],
  ])('because it was %s leads to the page that it is over, and makes no session', async (_name, end) => {
    server = await TestServer.start();
    const { id } = await connect();
    const { body: link } = await server.merchant('POST', '/v1/links', { customer_id: 'cus_1', connection: id });
    expect((await page(link.url)).status).toBe(200);
    await end(id);
    expect((await page(link.url)).status).toBe(404);
    expect((await open(link.url)).status).toBe(404);
    const sessions = await server.storage.db
      .selectFrom('sessions')
      .selectAll()
      .where('link_id', 'is not', null)
      .execute();
    expect(sessions).toEqual([]);
  });
});
