import { setTimeout as sleep } from 'node:timers/promises';
import type { IdentityInput } from '../../widget/contract.ts';
import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import { isBankDown, isPending } from '../clients/plaid-codes.ts';
import type { OwnerScores, PlaidPerson } from '../clients/plaid-risk.ts';
import type { Logger } from '../log.ts';
import { readIdentity } from '../records/columns.ts';
import { changeConnection, lockConnection } from '../records/connections.ts';
import type { Outbox } from '../records/outbox.ts';
import { isOwnedAsRequired, ownerOf, verificationOf } from '../records/verification.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { ConnectionTable, SessionTable } from '../storage/tables.ts';
import { about } from '../trace.ts';
import { quickBackoff, Stop } from '../work/retry.ts';
import { reportChangedOwner } from './changed-bank.ts';
import { canCompare, personOf } from './owner-person.ts';

/**
 * How well the owner of an account fits the session's identity, by Plaid's Identity Match. It is billed for every
 * answer, so it is asked once for the accounts of a login, in parallel with the other calls, and never with nothing to
 * compare. Names stay in memory for the length of the call.
 */
export interface OwnerChecks {
  /** Asks in the background, once for each login. Does nothing where the session asks for no check. */
  begin(session: SessionTable, connections: ConnectionTable[], accessToken: string): void;
  /**
   * Waits for the answer where the session requires the owner.
   * @returns the accounts that may not go on, where others may
   * @throws Stop `owner_mismatch`, `owner_unknown` when none may
   */
  require(session: SessionTable, connections: ConnectionTable[]): Promise<RefusedOwner[]>;
  /** The columns of an answer that has arrived, to be written with another change; empty: no answer yet. */
  learned(connection: ConnectionTable): Partial<ConnectionTable>;
  /** Writes answers that are there, or still to come, after the session's own writes. */
  finish(connections: ConnectionTable[]): void;
  /** Lets the answers that are in progress be written. */
  stop(): Promise<void>;
}

export interface RefusedOwner {
  /** Of the connection. */
  id: string;
  code: 'owner_mismatch' | 'owner_unknown';
}

export interface OwnershipDeps {
  storage: Storage;
  secrets: Secrets;
  plaid: PlaidClient;
  outbox: Outbox;
  log: Logger;
}

/** By Plaid's account id; null: no answer. */
type Scores = ReadonlyMap<string, OwnerScores> | null;

interface Asked {
  answer: Promise<Scores>;
  scores: Scores | undefined;
  at: number;
}

/** What is not enabled, not supported or down is not asked for again by the next customer. */
const PAUSE_MS = 3600_000;
/** Plaid counts calls by the minute. */
const LIMITED_PAUSE_MS = 60_000;
/** Refusals of what was sent of this one person, which mean nothing for the next. */
const OF_PERSON: ReadonlySet<string> = new Set(['INVALID_USER_IDENTITY_DATA', 'INVALID_FIELD']);
/** An answer of Plaid's all the same, which is billed. One that is not even JSON is a gateway's, or cut off. */
const UNREADABLE = 'UNREADABLE_ANSWER';
/** Longer than a session works without a pause. */
const FORGET_MS = 15 * 60_000;
/** Within the time that the customer waits for; then the owner is not known. */
const REQUIRED_ATTEMPTS = 4;

export function createOwnerChecks({ storage, secrets, plaid, outbox, log }: OwnershipDeps): OwnerChecks {
  /** By our id of the Item. Gone when the session has ended and the answer is written. */
  const asked = new Map<string, Asked>();
  /** Until when, by institution; the empty text: all. */
  const paused = new Map<string, number>();
  const writing = new Set<Promise<void>>();

  function isPaused(institution: string | null): boolean {
    const now = Date.now();
    return ['', institution ?? ''].some((key) => (paused.get(key) ?? 0) > now);
  }

  function pause({ code, failure, details: { remedy } }: UpstreamError, connection: ConnectionTable): void {
    const { institution_id: institution } = connection;
    const isUnsupported = code === 'PRODUCTS_NOT_SUPPORTED';
    // The customer's own matter, such as a permission that was not given or data yet to come: the next one may have it.
    if ((failure === 'refused' && !isUnsupported) || isPending(code) || OF_PERSON.has(code)) return;
    // A login without the bank's own data, such as one by deposits, has no owner to compare: the bank's others have.
    if (isUnsupported && !isInstant(connection)) return;
    // Plaid asks the bank: a time-out is the bank's more often than Plaid's.
    const isOfBank = isUnsupported || isBankDown(code) || code === 'TIMEOUT' || code === 'INSTITUTION_RATE_LIMIT';
    if (isOfBank && institution === null) return;
    // Sessions that require the owner ask all the same.
    const isKnown = isPaused(isOfBank ? institution : null);
    const isLimited = code === 'RATE_LIMIT' || code.endsWith('_LIMIT');
    paused.set(isOfBank ? (institution ?? '') : '', Date.now() + (isLimited ? LIMITED_PAUSE_MS : PAUSE_MS));
    if (isKnown) return;
    log.warn(
      { code, institution: isOfBank ? institution : null, remedy },
      `owners are reported as unknown for ${isLimited ? 'a minute' : 'an hour'}`,
    );
  }

  async function ask(session: SessionTable, connections: ConnectionTable[], accessToken: string): Promise<Scores> {
    const [first] = connections;
    const institution = first?.institution_id ?? null;
    if (!first || session.identity_enc === null || (session.ownership === 'report' && isPaused(institution)))
      return null;
    const where = { table: 'sessions', row: session.id, column: 'identity_enc' };
    const identity: IdentityInput = readIdentity(secrets.open(session.identity_enc, where));
    const person = personOf(identity, verificationOf(first).holder_category);
    if (!canCompare(person)) return null;
    const ids = connections.map(({ plaid_account_id }) => plaid_account_id);
    const attempts = session.ownership === 'require' ? REQUIRED_ATTEMPTS : 1;
    const lesser = lesserOf(person);
    let asked = person;
    for (let attempt = 1; ; attempt++) {
      try {
        return await about({ session: session.id }, () => plaid.matchOwner(accessToken, ids, asked));
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error;
        const { code, failure } = error;
        const next = OF_PERSON.has(code) ? lesser.shift() : undefined;
        if (next) {
          asked = next;
        } else if (attempt >= attempts || code === UNREADABLE || (failure !== 'busy' && failure !== 'lost')) {
          pause(error, first);
          log.info({ session: session.id, code }, 'owner check got no answer');
          return null;
        } else await sleep(quickBackoff(attempt));
      }
    }
  }

  /** A session that stopped has no use for its answer. */
  function forgetOld(): void {
    for (const [item, { at, scores }] of asked) {
      if (scores !== undefined && at < Date.now() - FORGET_MS) asked.delete(item);
    }
  }

  function patchOf(connection: ConnectionTable, scores: Scores, at: number): Partial<ConnectionTable> {
    const found = scores?.get(connection.plaid_account_id);
    const known = verificationOf(connection);
    if (!found || known.owner.checked_at !== null) return {};
    return { verification: JSON.stringify({ ...known, owner: ownerOf(found, at) }) };
  }

  async function write(trx: StorageTransaction, id: string, { scores, at }: Asked, now: number): Promise<void> {
    const before = await lockConnection(trx, id);
    const patch = before ? patchOf(before, scores ?? null, at) : {};
    if (!before || !patch.verification) return;
    const unit = { trx, outbox, now, by: { actor: 'plaid' } } as const;
    await reportChangedOwner(unit, await changeConnection(unit, before, patch));
  }

  async function writeAll(connections: ConnectionTable[], check: Asked): Promise<void> {
    const [first] = connections;
    if (!first || !check.scores) return;
    const now = await storage.now();
    await storage.transaction(`customer:${first.customer_id}`, async (trx) => {
      for (const { id } of connections) await write(trx, id, check, now);
    });
  }

  return {
    begin(session, connections, accessToken) {
      const [first] = connections;
      if (!first || session.ownership === 'off' || session.mode === 'repair' || asked.has(first.item_id)) return;
      if (verificationOf(first).owner.checked_at !== null) return;
      forgetOld();
      const check: Asked = { scores: undefined, at: Date.now(), answer: ask(session, connections, accessToken) };
      asked.set(first.item_id, check);
      check.answer = check.answer
        .catch((error: unknown) => {
          log.error({ session: session.id, err: error }, 'owner check failed');
          return null;
        })
        .then((scores) => {
          check.scores = scores;
          check.at = Date.now();
          return scores;
        });
    },
    async require(session, connections) {
      if (session.ownership !== 'require' || session.mode === 'repair') return [];
      const [first] = connections;
      const check = asked.get(first?.item_id ?? '');
      await check?.answer;
      const rows = connections.map((connection) => {
        const patch = check ? patchOf(connection, check.scores ?? null, check.at) : {};
        return { ...connection, ...patch };
      });
      const others = rows.filter((row) => !isOwnedAsRequired(row));
      // One of several accounts that is the customer's is connected; the others fail.
      if (others.length < rows.length) return others.map((row) => ({ id: row.id, code: refusalOf(row) }));
      if (check) await writeAll(connections, check);
      asked.delete(first?.item_id ?? '');
      const codes = others.map(refusalOf);
      throw new Stop('restart_required', codes.includes('owner_mismatch') ? 'owner_mismatch' : 'owner_unknown');
    },
    learned(connection) {
      const check = asked.get(connection.item_id);
      return check?.scores ? patchOf(connection, check.scores, check.at) : {};
    },
    finish(connections) {
      const item = connections[0]?.item_id ?? '';
      const check = asked.get(item);
      if (!check) return;
      const isWritten = () =>
        connections.every((connection) => !('verification' in patchOf(connection, check.scores ?? null, check.at)));
      const done: Promise<void> = check.answer
        .then(() => (isWritten() ? undefined : writeAll(connections, check)))
        .catch((error: unknown) => log.warn({ err: error }, 'the answer about an owner could not be stored'))
        .finally(() => {
          asked.delete(item);
          writing.delete(done);
        });
      writing.add(done);
    },
    async stop() {
      await Promise.allSettled(writing);
    },
  };
}

/** Whether the bank itself gave the numbers, so that it gives the owner's data as well where it has them. */
function isInstant(connection: ConnectionTable): boolean {
  const { method } = verificationOf(connection);
  return method === null || method === 'instant' || method === 'instant_match';
}

/**
 * What is asked with once Plaid has refused the whole call for something in it: without the number, which may be
 * outside the real ranges, and then with the name alone, which decides.
 */
function lesserOf(person: PlaidPerson): PlaidPerson[] {
  const { phone_number, ...withoutPhone } = person;
  const { legal_name } = person;
  const hasMore = legal_name !== undefined && Object.keys(withoutPhone).length > 1;
  return [
    ...(phone_number !== undefined && canCompare(withoutPhone) ? [withoutPhone] : []),
    ...(hasMore ? [{ legal_name }] : []),
  ];
}

function refusalOf(connection: ConnectionTable): RefusedOwner['code'] {
  return verificationOf(connection).owner.status === 'mismatch' ? 'owner_mismatch' : 'owner_unknown';
}
