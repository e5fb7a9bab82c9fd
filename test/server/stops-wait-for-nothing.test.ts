import { afterEach, describe, expect, it } from 'vitest';
import type { Clients } from '../../server/create-server.ts';
import { newId } from '../../server/ids.ts';
import { instrumentCall, putCall } from '../../server/records/create-calls.ts';
import { debits, FINIX_SECRET } from '../helpers/debits.ts';
import { Gate } from '../helpers/gate.ts';
import { eventually, TestServer } from '../helpers/server.ts';
import { rows } from './storage/rows.ts';

/** What stops a customer's debits begins at once, also while all other work waits for a provider that is silent. */

let server: TestServer;
let gate: Gate;
let isRunning = false;
afterEach(async () => {
  gate.open();
  if (isRunning) await server.jobs.stop();
  isRunning = false;
  await server.close();
});
const { webhooks, bank, enabled, connectNew, read, settled, changeInstrument, bring } = debits(() => server);

type Call = 'getPaymentInstrument' | 'listBankAccounts' | 'createPaymentInstrument';

/** A server whose calls of one kind get no answer from Finix, from `begin` until the gate is open. */
async function holding(call: Call) {
  gate = new Gate();
  const held = { isOn: false, calls: 0 };
  const wrapClients = ({ plaid, finix }: Clients): Clients => ({
    plaid,
    finix: {
      ...finix,
      [call]: async (...given: unknown[]) => {
        if (held.isOn) {
          held.calls += 1;
          await gate.passed;
        }
        return (finix[call] as (...all: unknown[]) => Promise<unknown>)(...given);
      },
    },
  });
  server = await TestServer.start({ env: { FINIX_WEBHOOK_SECRET: FINIX_SECRET }, wrapClients });
  webhooks().settings.finix = { url: `${server.config.publicUrl}/webhooks/finix`, secret: FINIX_SECRET };
  return {
    begin() {
      held.isOn = true;
    },
    atLeast: (calls: number) => eventually(async () => held.calls >= calls),
  };
}

const instrumentOf = async (id: string) => (await read(id)).payment_instrument ?? '';
const itemOf = async (id: string) => {
  const { db } = server.storage;
  return db
    .selectFrom('connections')
    .innerJoin('items', 'items.id', 'connections.item_id')
    .select('items.plaid_item_id')
    .where('connections.id', '=', id)
    .executeTakeFirstOrThrow();
};
let events = 0;
const event = (entity: string, resource: object) => {
  events += 1;
  return JSON.stringify({ id: `event_${events}`, entity, type: 'updated', _embedded: { [`${entity}s`]: [resource] } });
};
const returnOf = (source: string) =>
  event('transfer', { id: `TR${newId('msg')}`, type: 'DEBIT', state: 'FAILED', source, messages: ['ReasonCode: R10'] });

/** A connection, and so many of other customers with their instruments; nothing about any of them is left to handle. */
async function connectWith(count: number) {
  const { id } = await connectNew();
  const instrument = await instrumentOf(id);
  const others: { id: string; instrument: string }[] = [];
  for (let i = 0; i < count; i++) {
    const other = await connectNew();
    others.push({ id: other.id, instrument: await instrumentOf(other.id) });
  }
  await settled();
  return { id, instrument, others };
}

async function isStopped(id: string, instrument: string): Promise<boolean> {
  return (await read(id)).status === 'revoked' && !enabled().includes(instrument);
}

describe('while handlers of other webhooks wait for Finix', () => {
  /** As many as are handled at the same time right after their answers, and more. */
  const OTHERS = 10;

  it.each(['a revocation', 'a return'])('%s is handled', async (what) => {
    const finix = await holding('getPaymentInstrument');
    const { id, instrument, others } = await connectWith(OTHERS);
    finix.begin();
    for (const other of others) await bring(event('instrument', { id: other.instrument }));
    await finix.atLeast(8);
    if (what === 'a return') await bring(returnOf(instrument));
    else bank().revokePermission((await itemOf(id)).plaid_item_id ?? '');
    await eventually(() => isStopped(id, instrument));
  });

  it('a return of the same instrument is handled', async () => {
    const finix = await holding('getPaymentInstrument');
    const { id } = await connectNew();
    const instrument = await instrumentOf(id);
    await settled();
    finix.begin();
    await bring(event('instrument', { id: instrument }));
    await finix.atLeast(1);
    await bring(returnOf(instrument));
    await eventually(() => isStopped(id, instrument));
  });

  it('a revocation that another instance has left is handled by the jobs', async () => {
    const finix = await holding('getPaymentInstrument');
    const { id, instrument, others } = await connectWith(OTHERS);
    finix.begin();
    server.jobs.start();
    isRunning = true;
    for (const other of others) await bring(event('instrument', { id: other.instrument }));
    // The jobs have taken on those that were too many.
    await finix.atLeast(OTHERS);
    const { plaid_item_id: subject } = await itemOf(id);
    const now = await server.storage.now();
    await server.storage.db
      .insertInto('inbound_events')
      .values({
        ...rows.inbound_events,
        type: 'ITEM/USER_PERMISSION_REVOKED',
        subject,
        facts: JSON.stringify({ item_id: subject, environment: 'sandbox' }),
        next_at: now,
        received_at: now,
      })
      .execute();
    await eventually(() => isStopped(id, instrument));
  });
});

it('a disabling that is tried again waits for no instrument that is being made', async () => {
  const finix = await holding('createPaymentInstrument');
  const { id, instrument, others } = await connectWith(10);
  const change = (connections: string[], patch: object) =>
    server.storage.db.updateTable('connections').set(patch).where('id', 'in', connections).execute();
  const due = { next_at: 0, lease_until: 0, lease_owner: null };
  const renewal = { ...due, status: 'pending', goal: 'instrument', payment_instrument: null, generation: 1 };
  await change(
    others.map((other) => other.id),
    renewal,
  );
  finix.begin();
  server.jobs.start();
  isRunning = true;
  // As many as one round takes on.
  await finix.atLeast(8);
  await change([id], { ...due, status: 'revoked', goal: 'disable' });
  await eventually(async () => !enabled().includes(instrument));
});

it('an instrument out of use that is enabled at Finix is disabled while looks for lost calls wait for lists', async () => {
  const finix = await holding('listBankAccounts');
  const { id } = await connectNew();
  const instrument = await instrumentOf(id);
  const other = await connectNew();
  bank().revokePermission((await itemOf(id)).plaid_item_id ?? '');
  await settled();
  expect(enabled()).not.toContain(instrument);
  finix.begin();
  const connection = await server.storage.db
    .selectFrom('connections')
    .selectAll()
    .where('id', '=', other.id)
    .executeTakeFirstOrThrow();
  await putCall(server.storage.db, { ...instrumentCall(connection, 0), look_at: 0 });
  server.jobs.start();
  isRunning = true;
  await finix.atLeast(1);
  await changeInstrument(id, { enabled: true }, instrument);
  expect(enabled()).toContain(instrument);
  await eventually(async () => !enabled().includes(instrument));
});

it('an instrument that was replaced and is enabled at Finix is disabled while the next one is being made', async () => {
  const finix = await holding('createPaymentInstrument');
  const { id } = await connectNew();
  const instrument = await instrumentOf(id);
  await settled();
  finix.begin();
  bank().renumber((await itemOf(id)).plaid_item_id ?? '');
  await finix.atLeast(1);
  // What the renewal has left behind is disabled, and has no row any more.
  await eventually(async () => {
    await server.jobs.tick();
    const { db } = server.storage;
    const left = await db.selectFrom('create_calls').select('id').where('instrument', 'is not', null).execute();
    return left.length === 0 && !enabled().includes(instrument);
  });
  await changeInstrument(id, { enabled: true }, instrument);
  expect(enabled()).toContain(instrument);
  await eventually(async () => {
    await server.jobs.tick();
    return !enabled().includes(instrument);
  });
});
