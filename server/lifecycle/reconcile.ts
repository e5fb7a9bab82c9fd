import pLimit from 'p-limit';
import type { FinixInstrument } from '../clients/finix.ts';
import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import { isBankDown, isPermissionRevoked } from '../clients/plaid-codes.ts';
import type { InstrumentDeps } from '../connect/instrument-hold.ts';
import { disableAll, isUnknownAtFinix, type OwnInstrument, toOwn } from '../connect/instrument-list.ts';
import type { Logger } from '../log.ts';
import type { Initiator } from '../records/audit.ts';
import {
  awaitsInstrument,
  changeConnection,
  DISABLED_IN_FINIX,
  isOutOfUse,
  isReturned,
  lockConnection,
  revoke,
} from '../records/connections.ts';
import { accessTokenOf, findItem } from '../records/items.ts';
import type { Unit } from '../records/unit.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { ConnectionTable } from '../storage/tables.ts';
import type { ConnectionTasks } from './connection-tasks.ts';

/**
 * Compares the rows with what Plaid and Finix have, after an older copy of the database was restored,
 * or a replica took over that was behind. May run while servers do.
 */
export interface ReconcileDeps extends InstrumentDeps {
  plaid: PlaidClient;
  secrets: Secrets;
  tasks: Pick<ConnectionTasks, 'run'>;
  log: Logger;
}

export interface ReconcileOptions {
  /** Also disables, at Finix, instruments without a row, and those of logins that Plaid no longer has. */
  fix: boolean;
  /** Instruments that are older are not looked at. Milliseconds since 1970. */
  since: number;
  /** Called with each finding at once: what was disabled must be known also where a later call fails. */
  onFinding?: (finding: Finding) => void;
}

export interface Finding {
  about: 'instrument' | 'connection' | 'webhook';
  id: string;
  /** What is wrong, for people. */
  problem: string;
  /** What was done about it; null: nothing. */
  done: string | null;
}

export interface ReconcileReport {
  instruments: number;
  connections: number;
  findings: Finding[];
  /** What the comparison can't find, for people. */
  limit: string;
}

/** Plaid has no list of a client's Items, and the access token of each went with its row. */
export const ITEMS_LIMIT =
  'Plaid has no list of Items: one whose row was lost is named only once Plaid has sent a webhook about it. The others: docs/operations.md#items-whose-rows-were-lost.';

/** Connections that are read at once; bounds memory. */
const PAGE = 200;
/** In addition to the customers' own calls, which share the providers' limits. */
const CALLS_AT_ONCE = 8;
const BY: Initiator = { actor: 'job', details: { command: 'reconcile' } };

export async function reconcile(deps: ReconcileDeps, options: ReconcileOptions): Promise<ReconcileReport> {
  const report: ReconcileReport = { instruments: 0, connections: 0, findings: [], limit: ITEMS_LIMIT };
  const add = (found: Finding) => {
    report.findings.push(found);
    options.onFinding?.(found);
  };
  for await (const page of deps.finix.allBankAccounts(options.since)) {
    await compareInstruments(deps, options, page, report, add);
  }
  await compareConnections(deps, options, report, add);
  for (const found of await unknownItems(deps)) add(found);
  return report;
}

/** Instruments that this server has made, are enabled, and that no row has or will take. */
async function compareInstruments(
  deps: ReconcileDeps,
  { fix }: ReconcileOptions,
  page: FinixInstrument[],
  report: ReconcileReport,
  add: (found: Finding) => void,
): Promise<void> {
  for (const own of page.flatMap((instrument) => toOwn(instrument) ?? [])) {
    report.instruments++;
    if (!own.enabled || (await isKnown(deps, own))) continue;
    const refusal = fix ? await refusalToDisable(deps, own.id) : undefined;
    const problem = `is enabled at Finix for ${own.connection}, and no connection uses it`;
    add({
      about: 'instrument',
      id: own.id,
      problem: refusal === undefined ? problem : `${problem}; Finix refuses to disable it (${refusal})`,
      done: fix && refusal === undefined ? 'disabled' : null,
    });
  }
}

/** @returns Finix's code where it refuses, which must not end the comparison; undefined: it is disabled */
async function refusalToDisable({ finix }: ReconcileDeps, instrument: string): Promise<string | undefined> {
  try {
    await disableAll(finix, [instrument]);
    return undefined;
  } catch (error) {
    if (error instanceof UpstreamError && error.failure === 'refused') return error.code;
    throw error;
  }
}

async function isKnown({ storage: { db } }: ReconcileDeps, own: OwnInstrument): Promise<boolean> {
  const rows = await db
    .selectFrom('connections')
    .selectAll()
    .where((eb) => eb.or([eb('payment_instrument', '=', own.id), eb('id', '=', own.connection)]))
    .execute();
  const isInUse = rows.some((row) => row.payment_instrument === own.id && isCaredFor(row));
  if (isInUse || rows.some((row) => row.id === own.connection && awaitsInstrument(row, own.generation))) return true;
  const call = await db
    .selectFrom('create_calls')
    .select('id')
    .where((eb) => eb.or([eb('id', '=', own.call ?? ''), eb('instrument', '=', own.id)]))
    .executeTakeFirst();
  return call !== undefined;
}

/**
 * The merchant uses the instrument, or a task disables it, or it was enabled in Finix's dashboard after it had been
 * disabled there.
 */
function isCaredFor(row: ConnectionTable): boolean {
  return !isOutOfUse(row) || row.goal !== null || row.reason === DISABLED_IN_FINIX;
}

async function compareConnections(
  deps: ReconcileDeps,
  options: ReconcileOptions,
  report: ReconcileReport,
  add: (found: Finding) => void,
): Promise<void> {
  const limit = pLimit(CALLS_AT_ONCE);
  let last = '';
  for (;;) {
    const rows = await deps.storage.db
      .selectFrom('connections')
      .selectAll()
      .where('status', 'in', ['active', 'needs_repair'])
      .where('id', '>', last)
      .orderBy('id')
      .limit(PAGE)
      .execute();
    const compared = rows.map(async (row) => {
      const found = await limit(compareConnection, deps, options, row);
      if (found) add(found);
    });
    // All have ended before a failure counts: what they have changed is in the report.
    const failed = (await Promise.allSettled(compared)).find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
    report.connections += rows.length;
    last = rows.at(-1)?.id ?? '';
    if (rows.length < PAGE) return;
  }
}

async function compareConnection(
  deps: ReconcileDeps,
  { fix }: ReconcileOptions,
  row: ConnectionTable,
): Promise<Finding | undefined> {
  const found = (problem: string, done: string | null): Finding => ({
    about: 'connection',
    id: row.id,
    problem: `is ${row.status}, but ${problem}`,
    done,
  });
  // What a task of this server is changing, or a return has disabled, is no difference.
  if (row.goal !== null) return undefined;
  const { payment_instrument: instrument } = row;
  const atFinix = instrument === null || isReturned(row) ? 'enabled' : await instrumentAtFinix(deps, instrument);
  // Finix deletes none, so it is one of another account, which says nothing about the customer's bank.
  if (atFinix === 'unknown') {
    return found(`Finix does not know its instrument ${instrument}: FINIX_USERNAME is of another account`, null);
  }
  if (atFinix === 'disabled') {
    const patch = { status: 'revoked', reason: DISABLED_IN_FINIX } as const;
    const isDone = await change(deps, row, (unit, before) => changeConnection(unit, before, patch));
    return found(`its instrument ${instrument} is disabled at Finix`, isDone ? 'revoked' : null);
  }
  const login = await loginAtPlaid(deps, row);
  if (login.state === 'good') return undefined;
  if (login.state === 'refused') {
    return found(
      `Plaid refuses its access token (${login.code}), as it does where PLAID_CLIENT_ID is of another team`,
      null,
    );
  }
  if (login.state === 'gone' && fix) {
    const isDone = await change(deps, row, (unit, before) => revoke(unit, before, GONE));
    await deps.tasks.run(row.id);
    return found(LOGIN_IS_GONE, isDone ? 'revoked' : null);
  }
  if (row.status === 'needs_repair') return undefined;
  const patch = { status: 'needs_repair', reason: login.code } as const;
  const isDone = await change(deps, row, (unit, before) => changeConnection(unit, before, patch));
  const problem = login.state === 'gone' ? LOGIN_IS_GONE : `Plaid returns ${login.code}`;
  return found(problem, isDone ? 'needs_repair' : null);
}

/**
 * The reason of a connection whose Item Plaid does not have any more, or whose access token the database does not have.
 */
const GONE = 'ITEM_NOT_FOUND';
const LOGIN_IS_GONE = 'Plaid no longer has its login';

async function instrumentAtFinix(
  { finix }: ReconcileDeps,
  instrument: string,
): Promise<'enabled' | 'disabled' | 'unknown'> {
  try {
    return (await finix.getPaymentInstrument(instrument)).enabled ? 'enabled' : 'disabled';
  } catch (error) {
    if (isUnknownAtFinix(error)) return 'unknown';
    throw error;
  }
}

/**
 * `good` also while its bank is down for now; `refused` for another reason than what the customer or the bank has done.
 */
type Login = { state: 'good' } | { state: 'gone' | 'broken' | 'refused'; code: string };

async function loginAtPlaid({ storage, secrets, plaid }: ReconcileDeps, row: ConnectionTable): Promise<Login> {
  const item = await findItem(storage.db, row.item_id);
  const accessToken = item ? accessTokenOf(secrets, item) : null;
  if (accessToken === null) return { state: 'gone', code: GONE };
  try {
    const code = await plaid.getItemError(accessToken);
    return code === null || isBankDown(code) ? { state: 'good' } : { state: 'broken', code };
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.failure !== 'refused') throw error;
    return isPermissionRevoked(error.code) ? { state: 'gone', code: GONE } : { state: 'refused', code: error.code };
  }
}

/** Unless the row was changed since it was read: then what was asked may be of before. */
async function change(
  { storage, outbox }: ReconcileDeps,
  row: ConnectionTable,
  apply: (unit: Unit, before: ConnectionTable) => Promise<unknown>,
): Promise<boolean> {
  const now = await storage.now();
  return storage.transaction(`customer:${row.customer_id}`, async (trx) => {
    const before = await lockConnection(trx, row.id);
    if (before?.version !== row.version) return false;
    await apply({ trx, outbox, now, by: BY }, before);
    return true;
  });
}

/**
 * Webhooks about Items without a row: their access tokens were lost with the rows, so only Plaid's dashboard can
 * remove them.
 */
async function unknownItems({ storage: { db } }: ReconcileDeps): Promise<Finding[]> {
  const events = await db
    .selectFrom('inbound_events')
    .select(['subject', 'type'])
    .where('source', '=', 'plaid')
    .where('subject', 'is not', null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb.selectFrom('items').select('items.id').whereRef('items.plaid_item_id', '=', 'inbound_events.subject'),
        ),
      ),
    )
    .groupBy(['subject', 'type'])
    .orderBy('subject')
    .execute();
  return events.map(({ subject, type }) => ({
    about: 'webhook',
    id: subject ?? '',
    problem: `${type} was sent about this Item, which has no row`,
    done: null,
  }));
}
