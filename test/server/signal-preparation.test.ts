import { afterEach, describe, expect, it } from 'vitest';
import { debits, startWithDebits } from '../helpers/debits.ts';
import type { TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const { bank, connectNew } = debits(() => server);

const SIGNAL = { DEBIT_CHECK: 'signal' };
const PATH = '/signal/prepare';
const prepared = () => server.ledger.calls().filter(({ path }) => path === PATH);
const consent = () => {
  for (const { item_id } of server.ledger.items()) bank().grantConsent(item_id, ['signal']);
};
const due = async () => {
  const items = await server.storage.db.selectFrom('items').select('signal_prepare_at').execute();
  return items.filter(({ signal_prepare_at }) => signal_prepare_at !== null).length;
};

describe('an Item whose customer has consented to Signal', () => {
  it('is prepared once, by a job, and costs the customer no wait', async () => {
    server = await startWithDebits({ env: SIGNAL });
    const token = await server.publicToken();
    consent();
    const { body } = await server.complete(await server.createSession(), token);
    expect(body.status).toBe('completed');
    expect(prepared()).toEqual([]);
    await server.jobs.tick();
    await server.jobs.tick();
    expect(prepared()).toHaveLength(1);
    expect(await due()).toBe(0);
  });

  it.each(['reset', 'html', 'status'] as const)('is prepared after an answer that was lost (%s)', async (kind) => {
    server = await startWithDebits({ env: SIGNAL });
    server.upstream.simulator.faults.add({ service: 'plaid', path: PATH, kind, times: 1 });
    const token = await server.publicToken();
    consent();
    await server.complete(await server.createSession(), token);
    await server.jobs.tick();
    expect(await due()).toBe(1);
    server.clockOffset += 3600_000;
    await server.jobs.tick();
    expect(prepared()).toHaveLength(2);
    expect(await due()).toBe(0);
  });

  it('is prepared by one of two workers', async () => {
    server = await startWithDebits({ env: SIGNAL });
    const token = await server.publicToken();
    consent();
    await server.complete(await server.createSession(), token);
    await Promise.all([server.jobs.tick(), server.jobs.tick()]);
    expect(prepared()).toHaveLength(1);
  });

  it('is prepared by its first check where it was connected before Signal was in use', async () => {
    server = await startWithDebits({ env: SIGNAL });
    const { id } = await connectNew();
    consent();
    await server.storage.db.updateTable('items').set({ signal_prepare_at: null }).execute();
    const body = { amount: 353, client_transaction_id: 'order-1' };
    expect((await server.merchant('POST', `/v1/connections/${id}/check`, body)).body.decision).toBe('ok');
    await server.jobs.tick();
    expect(prepared()).toHaveLength(1);
  });
});

describe('an Item without that consent', () => {
  it('is asked for once, and prepared after a repair has brought the consent', async () => {
    server = await startWithDebits({ env: SIGNAL });
    const session = await server.createSession();
    const { body } = await server.complete(session, await server.publicToken());
    await server.jobs.tick();
    await server.jobs.tick();
    expect(prepared()).toHaveLength(1);
    expect(server.lines.join('')).toContain('could not be prepared for Signal');
    const repair = await server.createSession({ connection: body.connections[0].id });
    await server.page(repair, 'POST', '/link-token', {});
    consent();
    await server.complete(repair, 'public-sandbox-99999999-9999-9999-9999-999999999999');
    await server.jobs.tick();
    expect(prepared().map(({ status }) => status)).toEqual([400, 200]);
  });

  it('is left alone while Signal is not in use', async () => {
    server = await startWithDebits();
    await server.complete(await server.createSession(), await server.publicToken());
    await server.jobs.tick();
    expect(prepared()).toEqual([]);
  });

  it('that was removed in the meantime is not asked for', async () => {
    server = await startWithDebits({ env: SIGNAL });
    const { id } = await connectNew();
    await server.merchant('DELETE', `/v1/connections/${id}`);
    await server.jobs.tick();
    expect(prepared()).toEqual([]);
    expect(await due()).toBe(0);
  });
});
