import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CreateSessionRequest } from '../../widget/contract.ts';
import { debits, startWithDebits } from '../helpers/debits.ts';
import { Gate } from '../helpers/gate.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { eventually, type TestServer, type TestServerOptions } from '../helpers/server.ts';

let server: TestServer;
let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  await server.close();
  await receiver.close();
});

const { atFinix, read, settled } = debits(() => server);

const FIRST_BANK = 'ins_109508';
const OTHER_BANK = 'ins_109511';

async function start(more: Record<string, string> = {}, options: TestServerOptions = {}): Promise<void> {
  const env = { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET, ...more };
  server = await startWithDebits({ ...options, env });
}

/** A customer connects the account at a bank. @returns the connection's id */
async function connect(institution: string, request: Partial<CreateSessionRequest> = {}): Promise<string> {
  const { answer } = await server.connect({ institution, purpose: 'payout', ...request });
  const [connection] = answer.body.connections ?? [];
  if (answer.body.status !== 'completed') throw new Error(`no connection: ${JSON.stringify(answer.body)}`);
  return connection.id;
}

let ids = 0;
async function expectReasonsOf(connection: string): Promise<string[]> {
  ids += 1;
  const request = { amount: 5_000, currency: 'USD', client_transaction_id: `payout-${ids}` };
  const { body } = await server.merchant('POST', `/v1/connections/${connection}/check`, request);
  const reasons = body.reasons.map(({ code }: { code: string }) => code);
  expect(body.decision).toBe(reasons.length === 0 ? 'ok' : 'review');
  return reasons;
}

/** The connections of which the merchant receives a change for this reason. */
async function expectChanges(reason = 'changed_bank'): Promise<string[]> {
  // Every event that was due by now has arrived.
  await eventually(async () => {
    await server.jobs.tick();
    const waiting = server.storage.db.selectFrom('deliveries').select('id').where('status', '=', 'pending');
    return (await waiting.execute()).length === 0;
  });
  const events = receiver.received.map(({ body }) => body).filter(({ type }) => type === 'connection.changed_bank');
  for (const event of events) expect(event).toMatchObject({ data: { status: 'active' } });
  return events.filter((event) => event.reason === reason).map(({ data }) => data.id);
}

const DAY_MS = 24 * 3600_000;

describe('another account of a customer who is paid', () => {
  it('a paid customer’s change to another account is sent to the merchant, audited, and reviewed for 30 days', async () => {
    await start();
    const first = await connect(FIRST_BANK);
    expect(await expectReasonsOf(first)).toEqual([]);
    const other = await connect(OTHER_BANK);
    expect(await expectChanges()).toEqual([other]);
    expect(await expectReasonsOf(other)).toEqual(['changed_bank']);
    expect(await expectReasonsOf(first)).toEqual([]);
    const { body } = await server.merchant('GET', `/v1/connections/${other}/audit`);
    expect(body.data.map(({ action }: { action: string }) => action)).toContain('connection.changed_bank');
    server.clockOffset = 29 * DAY_MS;
    expect(await expectReasonsOf(other)).toEqual(['changed_bank']);
    server.clockOffset = 31 * DAY_MS;
    expect(await expectReasonsOf(other)).toEqual([]);
  });

  it('another account is a bank change also after the first account was removed', async () => {
    await start();
    const first = await connect(FIRST_BANK);
    await server.merchant('DELETE', `/v1/connections/${first}`);
    await settled();
    expect((await read(first)).status).toBe('removed');
    const other = await connect(OTHER_BANK);
    expect(await expectChanges()).toEqual([other]);
  });

  it('connecting the changed account once more is no further change, and is still reviewed', async () => {
    await start();
    await connect(FIRST_BANK);
    const other = await connect(OTHER_BANK);
    await settled();
    const again = await connect(OTHER_BANK, { metadata: { again: 'yes' } });
    await settled();
    expect((await read(other)).status).toBe('removed');
    expect(await expectReasonsOf(again)).toEqual(['changed_bank']);
    expect(await expectChanges()).toEqual([other]);
  });

  it('CHANGED_BANK_DAYS=0 sends a bank change without a review', async () => {
    await start({ CHANGED_BANK_DAYS: '0' });
    await connect(FIRST_BANK);
    const other = await connect(OTHER_BANK);
    expect(await expectReasonsOf(other)).toEqual([]);
    expect(await expectChanges()).toEqual([other]);
  });
});

describe('another owner of an account of a customer who is paid', () => {
  const OWNER = { first_name: 'Alberta', last_name: 'Charleson' };
  const STRANGER = { first_name: 'Boris', last_name: 'Unknown' };

  /** Connects, and waits until the answer about the owner is stored. */
  async function expectConnectedAs(
    identity: typeof OWNER,
    status: string,
    institution = FIRST_BANK,
    more: object = {},
  ) {
    const id = await connect(institution, { identity, ownership: 'report', ...more });
    await expect.poll(async () => (await read(id)).verification.owner.status).toBe(status);
    return id;
  }

  it('an owner who no longer matches is sent to the merchant, audited and reviewed, at the same bank', async () => {
    await start();
    await expectConnectedAs(OWNER, 'match');
    const other = await expectConnectedAs(STRANGER, 'mismatch');
    expect(await expectChanges('owner_mismatch')).toEqual([other]);
    expect(await expectChanges('changed_bank')).toEqual([]);
    expect(await expectReasonsOf(other)).toEqual(['owner_mismatch']);
    const { body } = await server.merchant('GET', `/v1/connections/${other}/audit`);
    const entry = body.data.find(({ action }: { action: string }) => action === 'connection.changed_bank');
    expect(entry.details.reason).toBe('owner_mismatch');
  });

  it.each(['before', 'after'])('an answer %s the connection is active has the same end', async (when) => {
    const gate = new Gate();
    if (when === 'before') gate.open();
    const expectHeldClients: TestServerOptions['wrapClients'] = (clients) => ({
      ...clients,
      plaid: { ...clients.plaid, matchOwner: (...args) => gate.passed.then(() => clients.plaid.matchOwner(...args)) },
      finix: {
        ...clients.finix,
        // The answer about the owner has come by the time the instrument is there.
        createPaymentInstrument: async (...args) => {
          if (when === 'before') await expect.poll(matchesAnswered).toBe(asked);
          return clients.finix.createPaymentInstrument(...args);
        },
      },
    });
    let asked = 1;
    const matchesAnswered = () =>
      server.ledger.calls().filter(({ path, status }) => path === '/identity/match' && status === 200).length;
    await start({}, { wrapClients: expectHeldClients });
    const first = await connect(FIRST_BANK, { identity: OWNER, ownership: 'report' });
    if (when === 'after') gate.open();
    await expect.poll(async () => (await read(first)).verification.owner.status).toBe('match');
    asked = 2;
    const other = await expectConnectedAs(STRANGER, 'mismatch');
    expect(await expectChanges('owner_mismatch')).toEqual([other]);
  });

  it('another owner at another bank is reported as both', async () => {
    await start();
    await expectConnectedAs(OWNER, 'match');
    const other = await expectConnectedAs(STRANGER, 'mismatch', OTHER_BANK);
    expect(await expectChanges('owner_mismatch')).toEqual([other]);
    expect(await expectChanges('changed_bank')).toEqual([other]);
    expect((await expectReasonsOf(other)).sort()).toEqual(['changed_bank', 'owner_mismatch']);
  });

  it.each<[string, () => Promise<string[]>]>([
    ['a first account of another owner', async () => [await expectConnectedAs(STRANGER, 'mismatch')]],
    [
      'an account of the same stranger as before',
      async () => [await expectConnectedAs(STRANGER, 'mismatch'), await expectConnectedAs(STRANGER, 'mismatch')],
    ],
    [
      'an account of the owner after one of a stranger',
      async () => [await expectConnectedAs(STRANGER, 'mismatch'), await expectConnectedAs(OWNER, 'match')],
    ],
    [
      'an account of another customer',
      async () => [
        await expectConnectedAs(OWNER, 'match'),
        await expectConnectedAs(STRANGER, 'mismatch', FIRST_BANK, { customer_id: 'cus_2' }),
      ],
    ],
    [
      'an account for debits',
      async () => [
        await expectConnectedAs(OWNER, 'match', FIRST_BANK, { purpose: 'debit' }),
        await expectConnectedAs(STRANGER, 'mismatch', FIRST_BANK, { purpose: 'debit' }),
      ],
    ],
  ])('%s is no change of the owner', async (_name, connectThem) => {
    await start();
    await connectThem();
    expect(await expectChanges('owner_mismatch')).toEqual([]);
  });
});

describe('no change of the bank', () => {
  it.each<[string, string, Partial<CreateSessionRequest>, Partial<CreateSessionRequest>]>([
    ['the same account, connected again', FIRST_BANK, {}, { metadata: { again: 'yes' } }],
    ['an account of another customer', OTHER_BANK, {}, { customer_id: 'cus_2' }],
    ['an account for debits', OTHER_BANK, { purpose: 'debit' }, { purpose: 'debit' }],
    ['the first account for payouts, after one for debits', OTHER_BANK, { purpose: 'debit' }, {}],
  ])('no bank change is reported: %s', async (_name, bank, before, after) => {
    await start();
    await connect(FIRST_BANK, before);
    expect(await expectReasonsOf(await connect(bank, after))).toEqual([]);
    expect(await expectChanges()).toEqual([]);
  });
});

describe('a settlement', () => {
  it('a settlement uses an existing SELLER identity, and another account of it is a bank change', async () => {
    await start();
    const entity = { business_name: 'Acme', business_phone: '+1 (408) 756-4497' };
    const seller = await atFinix('POST', '/identities', { entity, identity_roles: ['SELLER'], type: 'BUSINESS' });
    const request = { purpose: 'settlement', finix_identity: String(seller['id']) } as const;
    const first = await connect(FIRST_BANK, request);
    const other = await connect(OTHER_BANK, request);
    expect(server.ledger.identities()).toHaveLength(1);
    expect(server.ledger.instruments()).toMatchObject([{ identity: seller['id'] }, { identity: seller['id'] }]);
    expect((await read(first)).payment_instrument).toBe(server.ledger.instruments()[0]?.id);
    expect(await expectChanges()).toEqual([other]);
    expect(await expectReasonsOf(other)).toEqual(['changed_bank']);
  });
});
