import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand, type Served, serveOnPort } from '../helpers/command.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { TestServer } from '../helpers/server.ts';

let receiver: Receiver;
let server: TestServer;
let served: Served;
beforeEach(async () => {
  receiver = await startReceiver();
  server = await TestServer.start({
    env: { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET },
  });
  served = await serveOnPort(server);
});
afterEach(async () => {
  await served.close();
  await server.close();
  await receiver.close();
});

const run = (...args: string[]) => runCommand(args, served.env);

describe('list', () => {
  it('list sessions shows the sessions of a status and of a customer', async () => {
    const { session } = await server.connect({ customer_id: 'cus_1' });
    const open = await server.createSession({ customer_id: 'cus_2' });
    const all = await run('list');
    expect(all).toMatchObject({ code: 0, err: '' });
    expect(all.out).toMatch(/^id +status +customer +connections +error +created\n/);
    const done = await run('list', 'sessions', '--status', 'completed');
    expect(done.out).toMatch(new RegExp(`\n${session.id} +completed +cus_1 +con_\\w+ +- +20`));
    expect(done.out).not.toContain(open.id);
    const ofCustomer = await run('list', '--customer', 'cus_2', '--json');
    expect(JSON.parse(ofCustomer.out)).toMatchObject({ id: open.id, status: 'open' });
  });

  it('list reads page after page, up to its limit', async () => {
    for (let index = 0; index < 3; index++) await server.createSession({ customer_id: `cus_${index}` });
    const some = await run('list', '--limit', '2');
    expect([some.out.trim().split('\n').length, some.err]).toEqual([3, 'The first 2; --all lists all.\n']);
    expect((await run('list', '--all')).out.trim().split('\n')).toHaveLength(4);
  });

  it.each(['connections', 'links', 'webhooks'])('list shows %s', async (what) => {
    await server.connect();
    await server.merchant('POST', '/v1/links', { customer_id: 'cus_1' });
    const { code, out } = await run('list', what);
    expect([code, out.trim().split('\n').length]).toEqual([0, what === 'webhooks' ? 3 : 2]);
  });

  it('list names the statuses that exist', async () => {
    const { code, err } = await run('list', 'links', '--status', 'stuck');
    expect([code, err]).toEqual([2, expect.stringContaining('open, opened, completed, expired, revoked')]);
    expect((await run('list', 'banks')).code).toBe(2);
  });

  it.each(['many', '1e1', '0x10', '0', '-1', '1.5', ''])('list refuses %j as its limit', async (limit) => {
    expect(await run('list', '--limit', limit)).toMatchObject({
      code: 2,
      err: expect.stringContaining('whole number'),
    });
  });

  it('list reports that there is nothing', async () => {
    expect(await run('list')).toEqual({ code: 0, out: '', err: 'Nothing found.\n' });
  });
});

describe('a command that calls the running server', () => {
  it('a command that calls the running server names the settings that it needs', async () => {
    const { code, err } = await runCommand(['list'], {});
    expect(code).toBe(1);
    expect(err).toContain('PUBLIC_URL is missing');
    expect(err).toContain('MERCHANT_API_KEY is missing: set it to a key of the running server');
    expect(err).toContain('dev --settings');
  });

  it('a command names the option --url where its address is wrong, and exits with 2', async () => {
    const { code, err } = await runCommand(['list', '--url', 'localhost:4000'], served.env);
    expect([code, err]).toEqual([2, expect.stringContaining('--url must begin with')]);
    expect(err).not.toContain('PUBLIC_URL');
  });

  it('a command exits with 3 when no server answers, and names the address', async () => {
    const { code, err } = await runCommand(['list', '--url', 'http://127.0.0.1:9'], served.env);
    expect([code, err]).toEqual([3, expect.stringContaining('No answer from http://127.0.0.1:9')]);
  });

  it('a command exits with 1 when the key is not the server’s, and does not print it', async () => {
    const { code, err } = await runCommand(['list'], { ...served.env, MERCHANT_API_KEY: 'another-key-0123456789' });
    expect([code, err]).toEqual([1, expect.stringContaining('MERCHANT_API_KEY')]);
    expect(err).not.toContain('another-key');
  });

  it('a command reports that another program answers', async () => {
    const { code, err } = await runCommand(['list', '--url', `${served.url}/elsewhere`], served.env);
    expect([code, err]).toEqual([1, expect.stringContaining('not_found')]);
    const other = await runCommand(['list', '--url', `${server.upstream.url}/elsewhere`], served.env);
    expect([other.code, other.err]).toEqual([1, expect.stringContaining('not as this server does')]);
  });
});

describe('link', () => {
  it('link prints an address that a customer can open, and its QR code', async () => {
    const { code, out, err } = await run('link', '--customer', 'cus_1', '--expires-in-days', '3', '--qr');
    expect(code).toBe(0);
    const [url = ''] = out.split('\n');
    expect(url).toMatch(/^http:\/\/localhost:3000\/c\/[\w-]{43}$/);
    expect((await server.request(new URL(url).pathname)).status).toBe(200);
    expect(out).toMatch(/[█▀▄]/);
    expect(err).toMatch(/^lnk_\w+, until 20/);
  });

  it('link shows the QR code to the person, and gives a pipe the address alone', async () => {
    const { out, err } = await run('link', '--customer', 'cus_1', '--purpose', 'debit');
    expect(out).toMatch(/^http:\/\/localhost:3000\/c\/[\w-]{43}\n$/);
    expect(err).toMatch(/[█▀▄]/);
    const quiet = await run('link', '--customer', 'cus_1', '--no-qr');
    expect(quiet.out + quiet.err).not.toMatch(/[█▀▄]/);
  });

  it('link names a platform’s merchant on the customer’s page', async () => {
    const merchant = ['--merchant-id', 'm_1', '--merchant-name', 'Corner Bakery'];
    const { out } = await run('link', '--customer', 'cus_1', '--ownership', 'require', ...merchant);
    const page = await (await server.request(new URL(out.trim()).pathname)).text();
    expect(page).toContain('Corner Bakery');
    expect((await run('link', '--customer', 'cus_1', '--merchant-id', 'm_1')).code).toBe(2);
    expect((await run('link', '--customer', 'cus_1', '--purpose', 'settlement')).err).toMatch(/finix_identity/);
  });

  it('link prints the server’s reason when it is refused', async () => {
    const { code, err } = await run('link', '--customer', 'cus_1', '--expires-in-days', '90');
    expect([code, err]).toEqual([1, expect.stringMatching(/expires_in_days.*invalid_request, request req_/)]);
    expect((await run('link')).code).toBe(2);
  });
});

describe('erase', () => {
  it('erase does nothing without a confirmation', async () => {
    await server.connect();
    const { code, err } = await run('erase', 'cus_1');
    expect([code, err]).toEqual([2, expect.stringContaining('--yes')]);
    expect(server.ledger.instruments().map(({ enabled }) => enabled)).toEqual([true]);
  });

  it('erase names an empty customer, and reaches none', async () => {
    const { session } = await server.connect();
    const { code, err } = await run('erase', '', '--yes');
    expect([code, err]).toEqual([2, expect.stringContaining('Name the customer')]);
    expect(await run('erase', 'cus_1', '--yes', '--wait', '1e1')).toMatchObject({ code: 2 });
    expect((await server.merchant('GET', `/v1/sessions/${session.id}`)).body.customer_id).toBe(session.customer_id);
    expect(server.ledger.instruments().map(({ enabled }) => enabled)).toEqual([true]);
  });

  it('erase waits until the instruments are disabled and the Items removed', async () => {
    await server.connect();
    const done = await run('erase', 'cus_1', '--yes');
    expect(done).toMatchObject({ code: 0, out: 'Erased.\n' });
    expect(server.ledger.instruments().map(({ enabled }) => enabled)).toEqual([false]);
    expect(server.ledger.items().map(({ removed }) => removed)).toEqual([true]);
  });

  it('erase ends with 1 when a provider does not let it finish', async () => {
    await server.connect();
    server.upstream.simulator.faults.add({ service: 'finix', path: '/*', kind: 'status', status: 503 });
    const { code, out } = await run('erase', 'cus_1', '--yes', '--wait', '0', '--json');
    expect([code, JSON.parse(out)]).toEqual([1, expect.objectContaining({ status: 'erasing' })]);
  });
});

describe('resend-webhooks', () => {
  beforeEach(async () => {
    await server.connect();
    await server.storage.db.updateTable('deliveries').set({ status: 'dead', tries: 10 }).execute();
  });

  it('resend-webhooks makes all dead ones due again, and they arrive', async () => {
    expect(receiver.types()).toEqual([]);
    const { code, err } = await run('resend-webhooks', '--dead');
    expect([code, err]).toEqual([0, '2 due to be sent again, 0 failed.\n']);
    await server.jobs.tick();
    expect(receiver.types().sort()).toEqual(['connection.active', 'session.completed']);
  });

  it('resend-webhooks changes nothing on a dry run, and leaves events of before --since', async () => {
    const ids = (await run('list', 'webhooks', '--json')).out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).id);
    const { out } = await run('resend-webhooks', '--dead', '--dry-run');
    expect(out.trim().split('\n').sort()).toEqual(ids.sort());
    expect((await run('list', 'webhooks', '--status', 'dead', '--json')).out.trim().split('\n')).toHaveLength(2);
    const later = await run('resend-webhooks', '--dead', '--since', '2100-01-01');
    expect([later.code, later.err]).toEqual([0, '0 due to be sent again, 0 failed.\n']);
  });

  it('resend-webhooks goes on after one that is unknown, and ends with 1', async () => {
    const [known] = (await run('list', 'webhooks', '--json')).out.split('\n');
    const { id } = JSON.parse(known ?? '');
    const { code, out, err } = await run('resend-webhooks', 'msg_unknown', id);
    expect([code, out]).toEqual([1, `${id} is due\n`]);
    expect(err).toContain('msg_unknown: There is no such delivery.');
  });

  it('resend-webhooks needs deliveries or --dead, and not both', async () => {
    expect((await run('resend-webhooks')).code).toBe(2);
    expect((await run('resend-webhooks', 'msg_1', '--dead')).code).toBe(2);
  });
});
