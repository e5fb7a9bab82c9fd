import { addAudit } from '../records/audit.ts';
import type { Unit } from '../records/unit.ts';
import { verificationOf } from '../records/verification.ts';
import type { StorageTransaction } from '../storage/open.ts';
import type { ConnectionTable } from '../storage/tables.ts';
import { factsOf, isOfMerchant, isSameAccount } from './account-match.ts';

/**
 * The bank change of a customer who is paid: a takeover of their login often begins with another account. A first
 * account is no change, nor is one that the customer has had before, with any status of its connection since; that one
 * keeps the time of its own change.
 *
 * @param connection as it is before it has its instrument
 * @param fingerprint the instrument's
 * @returns when the customer changed to this account; null: there was no change
 */
export async function bankChangedAt(
  trx: StorageTransaction,
  connection: ConnectionTable,
  fingerprint: string | null,
  now: number,
): Promise<number | null> {
  // An instrument that is renewed is of the same account as before.
  if (hasBeenActive(connection)) return connection.changed_bank_at;
  const earlier = await earlierOf(trx, connection);
  if (earlier.length === 0) return null;
  const same = earlier.filter((other) =>
    isSameAccount(factsOf(other), { ...factsOf(connection), numbers: fingerprint }),
  );
  if (same.length === 0) return now;
  const changes = same.flatMap(({ changed_bank_at }) => changed_bank_at ?? []);
  return changes.length === 0 ? null : Math.max(...changes);
}

/** Accounts that the customer was paid to before. */
async function earlierOf(trx: StorageTransaction, connection: ConnectionTable): Promise<ConnectionTable[]> {
  const { purpose } = connection;
  if (purpose !== 'payout' && purpose !== 'settlement') return [];
  const others = await trx
    .selectFrom('connections')
    .selectAll()
    .where('customer_id', '=', connection.customer_id)
    // Several accounts may be chosen in one session; none of them replaces another.
    .where('session_id', '!=', connection.session_id)
    .where((eb) =>
      eb.or([
        eb('purpose', '=', purpose),
        // Rows of older versions have no purpose; the identity has one role.
        eb.and([eb('purpose', 'is', null), eb('finix_identity', '=', connection.finix_identity)]),
      ]),
    )
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return others.filter(isOfMerchant(connection)).filter(hasBeenActive);
}

/** Its instrument may be gone by now. */
export function hasBeenActive(row: ConnectionTable): boolean {
  return row.payment_instrument !== null || row.previous_payment_instrument !== null || row.fingerprint !== null;
}

/** Sent at once: a payout may be due before the next check. */
export async function reportChangedBank(
  { trx, outbox, now, by }: Unit,
  connection: ConnectionTable,
  reason: 'changed_bank' | 'owner_mismatch' = 'changed_bank',
): Promise<void> {
  await outbox.bankChanged(trx, connection, reason, now);
  await addAudit(trx, now, { ...by, details: { ...by.details, reason } }, 'connection.changed_bank', {
    session: connection.session_id,
    connection: connection.id,
  });
}

/**
 * The owner of an account that is paid no longer matches, whichever account it is: the bank knew the customer before,
 * and knows another person now. To be called once for each connection, as soon as it has both its instrument and its
 * owner's status.
 */
export async function reportChangedOwner(unit: Unit, connection: ConnectionTable): Promise<void> {
  if (verificationOf(connection).owner.status !== 'mismatch' || !hasBeenActive(connection)) return;
  const earlier = await earlierOf(unit.trx, connection);
  const known = earlier
    .filter(({ created_at }) => created_at <= connection.created_at)
    .map((other) => verificationOf(other).owner.status)
    .findLast((status) => status !== 'unknown');
  if (known === 'match' || known === 'partial') await reportChangedBank(unit, connection, 'owner_mismatch');
}
