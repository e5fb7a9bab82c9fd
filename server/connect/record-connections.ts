import type { PlaidAccount, PlaidClient, PlaidLogin } from '../clients/plaid.ts';
import { derivedId } from '../ids.ts';
import { addAudit } from '../records/audit.ts';
import { readChosenAccounts } from '../records/columns.ts';
import type { Outbox } from '../records/outbox.ts';
import { readVerification } from '../records/verification.ts';
import type { Storage } from '../storage/open.ts';
import { insertRows } from '../storage/row-writes.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { ConnectionTable, ItemTable, SessionTable } from '../storage/tables.ts';
import { Stop } from '../work/retry.ts';
import type { HeldSession } from '../work/session-lease.ts';
import { callBank } from './call-bank.ts';
import { chooseAccounts, isPendingVerification } from './choose-accounts.ts';
import { currentItem, requireAccessToken, writeItem } from './session-item.ts';

/** The rows of the accounts of a login that become funding sources. */

/**
 * Asks Plaid, and only Plaid, what the login's accounts are, and keeps a row for each that becomes a funding source.
 */
export async function recordConnections(
  { storage, secrets, plaid, outbox }: { storage: Storage; secrets: Secrets; plaid: PlaidClient; outbox: Outbox },
  held: HeldSession,
): Promise<ConnectionTable[]> {
  const { row: session } = held;
  const item = await currentItem(storage.db, held);
  const login = await callBank(() => plaid.getAccounts(requireAccessToken(secrets, item)));
  const { accounts, institutionId, institutionName, webhookUrl } = login;
  const choice = chooseAccounts(accounts, readChosenAccounts(session.chosen_accounts), session.account_selection);
  if (choice.kind === 'ask') throw new Stop('open', 'account_selection_required', { accounts: choice.accounts });
  if (choice.kind === 'refuse') {
    throw new Stop('open', choice.code, {
      action: choice.otherAccountWorks ? 'choose_account' : 'use_other_bank',
      errors: choice.indexes.map((i) => ({
        path: `accounts.${i}.id`,
        message:
          choice.code === 'account_unknown' ? 'is not an account of this login' : 'is not an account that can be used',
      })),
    });
  }
  const institution = {
    institution_id: institutionId,
    // The page's institution is only a name to show, and only used where Plaid names the same institution.
    institution_name: institutionName ?? (item.institution_id === institutionId ? item.institution_name : null),
  };
  const taken = await takenIds(storage, held);
  const recordedAt = await storage.now();
  const connections = choice.accounts.map((account) => {
    const id = connectionId(taken, secrets, session, account.id);
    return newConnection(id, held, item, account, institution, login, recordedAt);
  });
  // With the intent to create the customer's identity, or the first instrument: a crash before costs one more reading.
  held.join({}, async (trx, now, { is_erased }) => {
    if (is_erased !== null) throw new Stop('failed', 'session_failed', { detail: 'The customer is being erased.' });
    await writeItem(trx, item, { ...institution, webhook_url: webhookUrl }, now);
    await insertRows('connections', connections).execute(trx);
    for (const connection of connections) {
      await addAudit(trx, now, { actor: 'job', details: { status: connection.status } }, 'connection.created', {
        session: connection.session_id,
        connection: connection.id,
      });
      await outbox.connectionChanged(trx, connection, now);
    }
  });
  held.known.connections = connections;
  held.known.areNew = true;
  return connections;
}

/** Ids of the session's connections, also of those that it has had with another Item. */
async function takenIds({ db }: Storage, { row, known }: HeldSession): Promise<ReadonlySet<string>> {
  if (known.isFirstItem) return new Set();
  const all = await db.selectFrom('connections').select('id').where('session_id', '=', row.id).execute();
  return new Set(all.map(({ id }) => id));
}

/**
 * Derived from the session and the account: a server on a restored older database makes the same connection once more,
 * and so finds the instrument that was made for it. A further connection of the session to the same account has the
 * next id.
 */
function connectionId(
  taken: ReadonlySet<string>,
  secrets: Secrets,
  { id: session, secret_key_id }: SessionTable,
  account: string,
): string {
  for (let earlier = 0; ; earlier++) {
    const purpose = `connection id v1:${session}:${account}:${earlier}`;
    const id = derivedId('con', (round) => secrets.deriveBytes(`${purpose}:${round}`, secret_key_id, 32));
    if (!taken.has(id)) return id;
  }
}

function newConnection(
  id: string,
  { row: session }: HeldSession,
  item: ItemTable,
  account: PlaidAccount,
  institution: Pick<ConnectionTable, 'institution_id' | 'institution_name'>,
  { authMethod, consentExpiresAt }: Pick<PlaidLogin, 'authMethod' | 'consentExpiresAt'>,
  now: number,
): ConnectionTable {
  const isPending = isPendingVerification(account);
  const verification = readVerification({ ...account, authMethod, isVerified: !isPending }, now);
  return {
    id,
    session_id: session.id,
    customer_id: session.customer_id,
    merchant_id: session.merchant_id,
    item_id: item.id,
    status: isPending ? 'pending_verification' : 'pending',
    plaid_account_id: account.id,
    account_name: account.name,
    account_mask: account.mask,
    account_type: account.type,
    account_subtype: account.subtype,
    persistent_account_id: account.persistentAccountId,
    ...institution,
    verification: JSON.stringify(verification),
    purpose: session.purpose,
    link_session_id: item.link_session_id,
    finix_identity: session.finix_identity,
    payment_instrument: null,
    previous_payment_instrument: null,
    fingerprint: null,
    bank_account_validation_check: null,
    authorization_receipt: session.authorization_receipt,
    metadata: session.metadata,
    instrument_sent_at: null,
    instrument_tries: 0,
    sweep_at: null,
    error_code: null,
    reason: null,
    goal: null,
    goal_since: null,
    waited_ms: 0,
    next_at: 0,
    tries: 0,
    lease_owner: null,
    lease_until: 0,
    version: 0,
    generation: 0,
    repaired_at: null,
    revoked_at: null,
    removed_at: null,
    last_return: null,
    later_authorizations: null,
    changed_bank_at: null,
    consent_expires_at: consentExpiresAt,
    merchant: session.merchant,
    created_at: now,
    updated_at: now,
  };
}
