import { afterEach, describe, expect, it } from 'vitest';
import type { CreateSessionRequest } from '../../widget/contract.ts';
import { debits, startWithDebits } from '../helpers/debits.ts';
import type { TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const { connectNew, read, returned } = debits(() => server);

async function isTold(request: Partial<CreateSessionRequest>): Promise<boolean | undefined> {
  const session = await server.createSession(request);
  return (await server.page(session, 'POST', '/link-token', {})).body.returned;
}

async function returnedWith(code: string, more: Partial<CreateSessionRequest> = {}) {
  const { id } = await connectNew(undefined, more);
  await returned(id, code);
  return { connection: id, customer_id: (await read(id)).customer_id };
}

describe('the page of a customer whose payment was returned', () => {
  it.each(['R02', 'R04', 'R10'])('learns of it with a new link token (%s)', async (code) => {
    server = await startWithDebits();
    const { customer_id } = await returnedWith(code);
    expect(await isTold({ customer_id })).toBe(true);
  });

  it('learns of it in a repair', async () => {
    server = await startWithDebits();
    expect(await isTold(await returnedWith('R04'))).toBe(true);
  });

  it.each([
    ['another customer', { customer_id: 'cus_other' }],
    ['another purpose', { purpose: 'payout' as const }],
    ['another merchant', { merchant: { id: 'm_2', name: 'Iron Gym' } }],
  ])('is not that of %s', async (_name, more) => {
    server = await startWithDebits();
    const { customer_id } = await returnedWith('R02');
    expect(await isTold({ customer_id, ...more })).toBeUndefined();
  });

  it('does not learn of it once another account is connected, or where the return changed nothing', async () => {
    server = await startWithDebits();
    const { customer_id } = await returnedWith('R02');
    await server.complete(await server.createSession({ customer_id }), await server.publicToken('user_good'), {});
    const session = await server.createSession({ customer_id });
    const connected = await server.complete(session, await server.publicToken('user_business'));
    expect(connected.body.status).toBe('completed');
    expect(await isTold({ customer_id })).toBeUndefined();
    const harmless = await returnedWith('R01');
    expect(await isTold({ customer_id: harmless.customer_id })).toBeUndefined();
  });
});
