import { identityTag } from '../records/create-calls.ts';
import type { Storage } from '../storage/open.ts';
import type { CustomerTable, SessionTable } from '../storage/tables.ts';
import { Postpone } from '../work/retry.ts';
import type { Timing } from '../work/timing.ts';

/** Which of a customer's sessions makes the identity: a lease on the customer's row names it. */

/** Another session of the same customer is making the identity: about as long as that takes. */
const TURN_MS = 300;

export function notItsTurn(): Postpone {
  return new Postpone('finix_unavailable', TURN_MS, false);
}

/** Only one session of a customer makes the identity; the others wait for it. */
export async function takeTurn(
  { storage, timing }: { storage: Storage; timing: Timing },
  session: SessionTable,
): Promise<CustomerTable> {
  const now = await storage.now();
  await storage.db
    .insertInto('customers')
    .values(newCustomer(session, now))
    .onConflict((conflict) => conflict.columns(['customer_id', 'role']).doNothing())
    .execute();
  const mine = await storage.db
    .updateTable('customers')
    .set({ lease_owner: session.id, lease_until: now + timing.leaseMs })
    .where('customer_id', '=', session.customer_id)
    .where('role', '=', roleOf(session))
    .where((eb) =>
      eb.or([
        eb('finix_identity', 'is not', null),
        eb('lease_until', '<=', now),
        eb('lease_owner', '=', session.id),
        // A session that has ended announces no call any more; what it has announced has its row.
        eb.not(
          eb.exists(
            eb
              .selectFrom('sessions')
              .select('sessions.id')
              .whereRef('sessions.id', '=', 'customers.lease_owner')
              .where('sessions.status', '=', 'processing'),
          ),
        ),
      ]),
    )
    .returningAll()
    .executeTakeFirst();
  if (!mine) throw notItsTurn();
  return mine;
}

/**
 * Debits come from a buyer's account, payouts go to a recipient's, settlements to a seller's; Finix asks other things
 * of each.
 */
export function roleOf({ purpose }: Pick<SessionTable, 'purpose'>): CustomerTable['role'] {
  return ROLES[purpose];
}

const ROLES = { debit: 'BUYER', payout: 'RECIPIENT', settlement: 'SELLER' } as const;

export function newCustomer(session: SessionTable, now: number): CustomerTable {
  const role = roleOf(session);
  return {
    customer_id: session.customer_id,
    role,
    finix_identity: null,
    identity_tag: identityTag(session.customer_id, role),
    identity_sent_at: null,
    identity_tries: 0,
    lease_owner: null,
    lease_until: 0,
    created_at: now,
    updated_at: now,
  };
}
