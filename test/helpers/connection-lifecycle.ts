import { expect } from 'vitest';
import type { MerchantConnection, Session } from '../../widget/contract.ts';
import { eventually, type TestServer } from './server.ts';

/** What tests of a connection's later life do again and again; `current` gives the server of the running test. */
export function connectionLifecycle(current: () => TestServer) {
  const webhooks = () => current().upstream.simulator.webhooks;
  const bank = () => current().upstream.simulator.bank;
  const enabled = () =>
    current()
      .ledger.instruments()
      .filter((instrument) => instrument['enabled'] === true)
      .map(({ id }) => id);
  const item = () => {
    const [first] = current()
      .ledger.items()
      .filter(({ removed, exchanged }) => exchanged && !removed);
    if (!first) throw new Error('there is no Item');
    return first;
  };
  const events = () => current().storage.db.selectFrom('inbound_events').selectAll().orderBy('received_at').execute();

  async function connect(username?: string, institution?: string): Promise<{ session: Session; id: string }> {
    const { session, answer } = await current().connect({ username, institution });
    const [connection] = answer.body.connections ?? [];
    if (!connection) throw new Error(`no connection: ${JSON.stringify(answer.body)}`);
    return { session, id: connection.id };
  }

  async function read(id: string): Promise<MerchantConnection> {
    return (await current().merchant('GET', `/v1/connections/${id}`)).body as MerchantConnection;
  }

  /**
   * Changes a connection's instrument, or an earlier one of it, at Finix itself, as an operator does in its dashboard.
   */
  async function changeInstrument(id: string, body: object, instrument?: string): Promise<void> {
    const { payment_instrument } = await read(id);
    const { username, password } = current().config.finix;
    await fetch(`${current().upstream.finixUrl}/payment_instruments/${instrument ?? payment_instrument}`, {
      method: 'PUT',
      headers: {
        Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
        'Finix-Version': '2022-02-01',
        'Content-Type': 'application/json',
      },
      body: JSON.stringify(body),
    });
  }

  /** Everything that came in has been handled, and what came of it has been done. */
  async function settled(): Promise<void> {
    await webhooks().settled();
    await eventually(async () => {
      await current().jobs.tick();
      const waiting = (await events()).filter(({ status }) => status === 'received');
      const busy = await current()
        .storage.db.selectFrom('connections')
        .select('id')
        .where('goal', 'is not', null)
        .execute();
      return waiting.length === 0 && busy.length === 0;
    });
  }

  async function expectStatus(id: string, status: MerchantConnection['status']): Promise<MerchantConnection> {
    await settled();
    const connection = await read(id);
    expect(connection.status).toBe(status);
    return connection;
  }

  return { webhooks, bank, enabled, item, events, changeInstrument, connect, read, settled, expectStatus };
}
