import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Timeline } from '../../server/records/timeline.ts';
import { runCommand } from '../helpers/command.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { TestServer } from '../helpers/server.ts';

let receiver: Receiver;
let server: TestServer;
beforeEach(async () => {
  receiver = await startReceiver();
  server = await TestServer.start({
    env: { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET },
  });
});
afterEach(async () => {
  await server.close();
  await receiver.close();
});

const { settled } = connectionLifecycle(() => server);
const show = (...args: string[]) => runCommand(['show', ...args], { DATA_DIR: server.dataDir });

async function expectTimelineOf(id: string): Promise<Timeline & { texts: string[] }> {
  const { code, out } = await show(id, '--json');
  expect(code).toBe(0);
  const timeline = JSON.parse(out) as Timeline;
  return { ...timeline, texts: timeline.entries.map(({ kind, text }) => `${kind} ${text}`) };
}

/** Where each of these comes in the timeline, by what its line begins with. */
const positions = (texts: string[], beginnings: string[]) =>
  beginnings.map((beginning) => texts.findIndex((text) => text.startsWith(beginning)));

describe('show', () => {
  it('show prints how a session became a connection, in the order of time', async () => {
    const { session } = await server.connect({ customer_id: 'cus_1' });
    await server.jobs.tick();
    const { subjects, texts } = await expectTimelineOf(session.id);
    expect(subjects.map(({ text }) => text)).toEqual([
      'session, completed, connect, of customer cus_1',
      expect.stringMatching(/^connection, active, .+ ••\d{4}, PI\w+, of customer cus_1$/),
    ]);
    const found = positions(texts, [
      'merchant session.created',
      'page public_token.accepted',
      'call plaid item/public_token/exchange: ok, ',
      'call finix create payment instrument: ok, ',
      'job session.completed',
    ]);
    expect(found).toEqual([...found].sort((a, b) => a - b));
    expect(found).not.toContain(-1);
    expect(texts).toContainEqual(expect.stringMatching(/^call plaid accounts\/get: ok, \d+ ms, request \w+/));
    expect(texts).toContainEqual(expect.stringMatching(/^sent connection\.active msg_\w+: delivered, 1 attempt$/));
  });

  it('show prints what happened to a connection later: the provider’s webhook, the return, the debit', async () => {
    const [connection] = (await server.connect()).answer.body.connections;
    const [item] = server.ledger.items();
    server.upstream.simulator.bank.breakLogin(item?.item_id ?? '');
    await settled();
    const { subjects, texts } = await expectTimelineOf(connection.id);
    expect(subjects.map(({ id }) => id)).toContain(connection.id);
    expect(texts).toContainEqual(expect.stringMatching(/^received plaid ITEM\/ERROR: handled/));
    expect(texts).toContainEqual(expect.stringMatching(/^plaid connection\.needs_repair, reason ITEM_LOGIN_REQUIRED/));
    expect(texts).toContainEqual(expect.stringMatching(/^sent connection\.needs_repair/));
  });

  it('shows why a session is stuck', async () => {
    server.upstream.simulator.faults.add({ service: 'finix', path: '/*', kind: 'status', status: 503 });
    server.upstream.simulator.webhooks.hold();
    const session = await server.createSession();
    const completing = server.complete(session, await server.publicToken());
    await expect
      .poll(async () => {
        await server.jobs.tick();
        return (await expectTimelineOf(session.id)).texts.filter((text) => text.startsWith('call finix')).length;
      })
      .toBeGreaterThan(0);
    const { subjects, texts } = await expectTimelineOf(session.id);
    expect(subjects[0]?.text).toMatch(/^session, processing.*, at item_linked, \d+ failed attempts in a row/);
    expect(texts).toContainEqual(expect.stringMatching(/^call finix create identity: busy/));
    server.upstream.simulator.faults.clear();
    await completing;
  });

  it('gathers the sessions and connections of a customer, and of a link', async () => {
    await server.connect({ customer_id: 'cus_1' });
    await server.connect({ customer_id: 'cus_1', institution: 'ins_109509' });
    await server.connect({ customer_id: 'cus_2' });
    const { subjects, entries } = await expectTimelineOf('cus_1');
    expect(subjects.filter(({ id }) => id.startsWith('ses_'))).toHaveLength(2);
    expect(subjects.filter(({ id }) => id.startsWith('con_'))).toHaveLength(2);
    expect(JSON.stringify(entries)).not.toContain('cus_2');
    const { body } = await server.merchant('POST', '/v1/links', { customer_id: 'cus_3' });
    const link = await expectTimelineOf(body.id);
    expect(link.subjects).toMatchObject([
      { id: body.id, text: expect.stringMatching(/^link, open, of customer cus_3/) },
    ]);
    expect(link.texts[0]).toMatch(/^merchant link\.created/);
  });

  it('prints lines for people, without secrets', async () => {
    const { session, token } = await server.connect();
    await server.jobs.tick();
    const { code, out, err } = await show(session.id);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} {2}merchant {2}session\.created {2}\[ses_\w+\]\n/);
    expect(out).not.toMatch(/(access|public|processor|link)-sandbox|_secret_/);
    expect(out).not.toContain(token);
  });

  it('ends with 1 where nothing has the id, where there is no database, and where it is of an earlier version', async () => {
    expect(await show('ses_none')).toMatchObject({ code: 1, err: expect.stringContaining('ses_none') });
    const nowhere = await runCommand(['show', 'ses_none'], { DATA_DIR: `${server.dataDir}/none` });
    expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining('DATA_DIR')]);
    await server.storage.db
      .withTables<{ schema_migrations: { name: string } }>()
      .deleteFrom('schema_migrations')
      .where('name', '>', '0020')
      .execute();
    const earlier = await show('ses_none');
    expect([earlier.code, earlier.err]).toEqual([1, expect.stringContaining('earlier version')]);
  });
});
