import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clients } from '../../server/create-server.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { Gate } from '../helpers/gate.ts';
import { eventually, TestServer } from '../helpers/server.ts';

const HOUR = 3600_000;
let server: TestServer;
beforeEach(async () => {
  server = await TestServer.start();
});
afterEach(() => server.close());
const { webhooks, bank, enabled, item, connect, read, settled, expectStatus } = connectionLifecycle(() => server);

const send = (code: string, more: object = {}, type = 'ITEM') =>
  webhooks().plaid(`${server.config.publicUrl}/webhooks/plaid`, {
    webhook_type: type,
    webhook_code: code,
    item_id: item().item_id,
    ...more,
  });
/** The very body of the login's first break: Plaid's has neither time nor id. */
const sendError = () => {
  const first = webhooks()
    .sent()
    .find(({ type }) => type === 'ITEM/ERROR');
  if (!first) throw new Error('no login has broken yet');
  const { environment: _environment, ...body } = JSON.parse(first.body);
  webhooks().plaid(first.url, body);
};

describe.each([
  ['an hour', HOUR],
  ['30 hours', 30 * HOUR],
])('a login that breaks and is repaired within %s', (_name, span) => {
  async function brokenAndRepaired(): Promise<string> {
    const { id } = await connect();
    bank().breakLogin(item().item_id);
    await expectStatus(id, 'needs_repair');
    server.clockOffset += span / 2;
    bank().repairLogin(item().item_id);
    await expectStatus(id, 'active');
    server.clockOffset += span / 2;
    return id;
  }

  it('a login that breaks, is repaired and breaks again needs repair', async () => {
    const id = await brokenAndRepaired();
    bank().breakLogin(item().item_id);
    await expectStatus(id, 'needs_repair');
  });

  it('a repaired login stays active when the first break is sent once more', async () => {
    const id = await brokenAndRepaired();
    sendError();
    await expectStatus(id, 'active');
  });

  it('a repaired login is revoked when the permission is taken back, and a late copy of the break changes nothing', async () => {
    const id = await brokenAndRepaired();
    bank().revokePermission(item().item_id);
    sendError();
    await expectStatus(id, 'revoked');
    expect(enabled()).toEqual([]);
  });
});

it('a login that breaks, is repaired and breaks again within a second needs repair', async () => {
  const { id } = await connect();
  // All three are signed in the same second: the third is byte for byte the first.
  const frozen = Math.floor(Date.now() / 1000) * 1000 + 100;
  const freeze = () => {
    server.clockOffset = frozen - Date.now();
  };
  freeze();
  bank().breakLogin(item().item_id);
  await expectStatus(id, 'needs_repair');
  freeze();
  bank().repairLogin(item().item_id);
  await expectStatus(id, 'active');
  freeze();
  bank().breakLogin(item().item_id);
  await expectStatus(id, 'needs_repair');
});

it('a second repair within a second counts also while the first one is being handled', async () => {
  await server.close();
  const asked = new Gate();
  const answered = new Gate();
  const reads: string[] = [];
  const wrapClients = ({ plaid, finix }: Clients): Clients => ({
    finix,
    plaid: {
      ...plaid,
      getItemError: async (token) => {
        reads.push('begun');
        if (reads.length > 1) return plaid.getItemError(token);
        await asked.passed;
        const code = await plaid.getItemError(token);
        reads.push('read');
        await answered.passed;
        return code;
      },
    },
  });
  server = await TestServer.start({ wrapClients });
  const { id } = await connect();
  const frozen = Math.floor(Date.now() / 1000) * 1000 + 100;
  const inOneSecond = (act: (itemId: string) => void) => {
    server.clockOffset = frozen - Date.now();
    act(item().item_id);
  };
  inOneSecond(bank().breakLogin);
  await expectStatus(id, 'needs_repair');
  inOneSecond(bank().repairLogin);
  await eventually(async () => reads.includes('begun'));
  inOneSecond(bank().breakLogin);
  asked.open();
  await eventually(async () => reads.includes('read'));
  inOneSecond(bank().repairLogin);
  await webhooks().settled();
  answered.open();
  await expectStatus(id, 'active');
});

it('events of breaks and repairs in any order leave what is true at Plaid', async () => {
  const { id } = await connect();
  for (const isBroken of [true, false]) {
    webhooks().hold();
    bank().breakLogin(item().item_id);
    bank().repairLogin(item().item_id);
    bank().breakLogin(item().item_id);
    bank().repairLogin(item().item_id);
    if (isBroken) bank().breakLogin(item().item_id);
    await webhooks().release('reversed');
    await expectStatus(id, isBroken ? 'needs_repair' : 'active');
    server.clockOffset += 2_000;
  }
});

describe('account numbers', () => {
  it('account numbers that are withheld, shared again and withheld again within a day need a repair', async () => {
    const { id } = await connect();
    bank().withholdNumbers(item().item_id);
    await expectStatus(id, 'needs_repair');
    server.clockOffset += HOUR;
    bank().repairLogin(item().item_id);
    await expectStatus(id, 'active');
    server.clockOffset += HOUR;
    bank().withholdNumbers(item().item_id);
    await expectStatus(id, 'needs_repair');
  });
});

describe('a revocation that was handled, and a repair after it', () => {
  it('a repair after a revocation is not undone by a late copy of the revocation while Plaid calls the login good', async () => {
    const { id } = await connect();
    bank().revokePermission(item().item_id);
    await expectStatus(id, 'revoked');
    const [event] = webhooks()
      .sent()
      .filter(({ type }) => type === 'ITEM/USER_PERMISSION_REVOKED');
    bank().signInAgain(item().item_id);
    const session = await server.createSession({ connection: id });
    await server.page(session, 'POST', '/link-token', {});
    await server.complete(session, 'public-sandbox-99999999-9999-9999-9999-999999999999');
    await expectStatus(id, 'active');
    server.clockOffset += HOUR;
    const { environment: _environment, ...body } = JSON.parse(event?.body ?? '{}');
    webhooks().plaid(event?.url ?? '', body);
    await expectStatus(id, 'active');
    // Taken back once more, by the same words.
    bank().revokePermission(item().item_id);
    await expectStatus(id, 'revoked');
    expect(enabled()).toEqual([]);
  });

  it('a revocation counts while Plaid can’t be asked', async () => {
    const { id } = await connect();
    bank().breakLogin(item().item_id);
    await expectStatus(id, 'needs_repair');
    bank().repairLogin(item().item_id);
    await expectStatus(id, 'active');
    server.upstream.simulator.faults.add({ service: 'plaid', path: '/item/get', kind: 'status', status: 500 });
    send('USER_PERMISSION_REVOKED');
    await expectStatus(id, 'revoked');
    expect(enabled()).toEqual([]);
  });
});

it('a repair of a login that Plaid no longer knows does not count', async () => {
  const { id } = await connect();
  bank().breakLogin(item().item_id);
  await expectStatus(id, 'needs_repair');
  const gone = { service: 'plaid', path: '/item/get', kind: 'plaid_error', error_code: 'ITEM_NOT_FOUND' } as const;
  server.upstream.simulator.faults.add(gone);
  send('LOGIN_REPAIRED');
  await settled();
  expect((await read(id)).status).toBe('needs_repair');
});

describe('a login that breaks while the connection waits for its next instrument', () => {
  const broken = { service: 'plaid', path: '/processor/token/create', kind: 'plaid_error' } as const;

  it('a verified account gets its next instrument once the customer has signed in again elsewhere', async () => {
    const { id } = await connect();
    const before = await read(id);
    bank().breakLogin(item().item_id);
    await expectStatus(id, 'needs_repair');
    server.upstream.simulator.faults.add({ ...broken, error_code: 'ITEM_LOGIN_REQUIRED', times: 1 });
    bank().renumber(item().item_id);
    const between = await expectStatus(id, 'needs_repair');
    expect(between.payment_instrument).toBeNull();
    bank().repairLogin(item().item_id);
    const after = await expectStatus(id, 'active');
    expect(after.payment_instrument).not.toBe(before.payment_instrument);
    expect(after.previous_payment_instrument).toBe(before.payment_instrument);
    expect(enabled()).toEqual([after.payment_instrument]);
  });

  it('an account that was never verified waits for its verification once more', async () => {
    const { id } = await connect('user_pending_verification');
    bank().breakLogin(item().item_id);
    await expectStatus(id, 'needs_repair');
    bank().repairLogin(item().item_id);
    await expectStatus(id, 'pending_verification');
    expect(server.ledger.instruments()).toEqual([]);
    bank().verify(item().item_id, 'automatically_verified');
    const { payment_instrument } = await expectStatus(id, 'active');
    expect(enabled()).toEqual([payment_instrument]);
  });
});
