import { z } from 'zod';
import { jsonColumn } from '../storage/json-column.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';

/** Members of a stored event's facts that a merchant may name a customer or an order by. */
const readFacts = jsonColumn('inbound_events.facts', z.looseObject({ transfer: z.looseObject({}).optional() }));

/** The facts of an event that needs no handling any more: without what it may name its customer by. */
export function withoutNames(facts: string): string {
  const { transfer, ...rest } = readFacts(facts);
  if (transfer === undefined) return facts;
  return JSON.stringify({ ...rest, transfer: { ...transfer, idempotencyId: null, tagValues: [] } });
}

/** The same for all events so far about a connection's instruments, of an erased customer. */
export async function forgetEvents(trx: StorageTransaction | Storage['db'], connectionId: string): Promise<void> {
  const events = await trx
    .selectFrom('inbound_events')
    .innerJoin('connection_instruments', 'connection_instruments.payment_instrument', 'inbound_events.subject')
    .select(['inbound_events.id', 'inbound_events.facts'])
    .where('connection_instruments.connection_id', '=', connectionId)
    .execute();
  for (const { id, facts } of events) {
    await trx
      .updateTable('inbound_events')
      .set({ facts: withoutNames(facts) })
      .where('id', '=', id)
      .execute();
  }
}
