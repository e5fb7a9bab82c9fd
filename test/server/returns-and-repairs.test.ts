import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Session } from '../../widget/contract.ts';
import { debits, startWithDebits } from '../helpers/debits.ts';
import type { TestServer } from '../helpers/server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startWithDebits({ timing: { answerWithinMs: 100 } });
});
afterEach(() => server.close());

const { ach, bank, connect, debit, enabled, expectStatus, item, returned } = debits(() => server);

/** What Link's update mode gives: a token that is not to be exchanged. */
const UPDATE_TOKEN = 'public-sandbox-99999999-9999-9999-9999-999999999999';

async function openRepair(connection: string): Promise<Session> {
  bank().signInAgain(item().item_id);
  const session = await server.createSession({ connection });
  await server.page(session, 'POST', '/link-token', {});
  return session;
}

describe('a return during a repair', () => {
  it.each([
    ['R10', 'revoked', 'restart_required'],
    ['R02', 'failed', 'failed'],
  ] as const)('a repair that waits for Plaid when %s comes leaves the connection %s', async (code, status, end) => {
    const { id } = await connect();
    const transfer = await debit(id);
    ach().succeed(transfer);
    bank().breakLogin(item().item_id);
    await expectStatus(id, 'needs_repair');
    const session = await openRepair(id);
    const fault = { service: 'plaid', path: '/accounts/get', kind: 'status', status: 503 } as const;
    server.upstream.simulator.faults.add(fault);
    await server.complete(session, UPDATE_TOKEN);
    ach().returnDebit(transfer, code);
    await expectStatus(id, status);
    server.upstream.simulator.faults.clear();
    server.clockOffset += 60_000;
    const stateOf = async () => (await server.merchant('GET', `/v1/sessions/${session.id}`)).body.status;
    await expect
      .poll(async () => {
        await server.jobs.tick();
        return stateOf();
      })
      .toBe(end);
    await expectStatus(id, status);
    expect(enabled()).toEqual([]);
  });

  it('a repair that R02 overtakes before its completion is refused, also where the login has another account', async () => {
    const several = await server.createSession({ account_selection: 'multiple' });
    const { body } = await server.complete(several, await server.publicToken('user_several'));
    const [{ id }] = body.connections as [{ id: string }];
    const session = await openRepair(id);
    await returned(id, 'R02');
    const answer = await server.complete(session, UPDATE_TOKEN);
    expect([answer.status, answer.body.code]).toEqual([409, 'session_failed']);
    const { payment_instrument } = await expectStatus(id, 'failed');
    expect(enabled()).not.toContain(payment_instrument);
  });
});
