import type { FinixClient } from '../clients/finix.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import type { Logger } from '../log.ts';
import type { Outbox } from '../records/outbox.ts';
import type { Unit } from '../records/unit.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { ConnectionTable } from '../storage/tables.ts';
import type { AgreedClock } from '../work/agreed-clock.ts';
import type { HeldSession, WrittenSession } from '../work/session-lease.ts';
import type { Timing } from '../work/timing.ts';
import type { OwnerChecks } from './ownership.ts';
import type { ProcessorTokens } from './processor-token.ts';

/** What making and adopting an instrument works with. */
export interface InstrumentDeps {
  storage: Storage;
  /** By which a quiet period counts: a clock that jumps ahead must not end it. */
  clock: Pick<AgreedClock, 'now' | 'informed'>;
  plaid: PlaidClient;
  finix: FinixClient;
  /** How long a lost call may still be carried out by Finix, or its result be missing from lists. Milliseconds. */
  quietMs: number;
  timing: Timing;
  outbox: Outbox;
  log: Logger;
  /**
   * Changes a connection that has just got its instrument as the returns of its account ask for: one can have come in
   * the meantime.
   */
  applyReturns(unit: Unit, connection: ConnectionTable): Promise<ConnectionTable>;
  /** What has been learned of the account in the meantime, to be written with its instrument. */
  owners: Pick<OwnerChecks, 'learned'>;
}

/** A worker that may write the connection: its session's, or its task's. */
export interface InstrumentHold {
  /**
   * Another worker was at this before, or the database may be older than what was done: an instrument may exist that no
   * row is of.
   */
  readonly looksFirst: boolean;
  readonly since: number; // Milliseconds since 1970: no instrument of this work can be older.
  /** No create call was announced for the connection before. */
  readonly isFirst: boolean;
  /** Those that are being made already. */
  readonly processorTokens?: ProcessorTokens | undefined;
  /** @throws Fenced when the lease was lost to another worker */
  write(also: (trx: StorageTransaction, now: number) => Promise<void>, scope?: 'rows'): Promise<void>;
  /** As `write`, for the end of the work. May run `also` more than once; the last run counts. */
  adopt(also: Adoption): Promise<void>;
}

/** Gives the connection its instrument. @returns the connection as it is then; undefined: it is not to have one */
export type Adoption = (
  trx: StorageTransaction,
  now: number,
  session?: WrittenSession,
) => Promise<ConnectionTable | undefined>;

export function holdOf(held: HeldSession): InstrumentHold {
  return {
    // As they are when they are asked for: the database may go back while the work goes on.
    get looksFirst() {
      return held.looksFirst;
    },
    get since() {
      return held.since;
    },
    isFirst: false,
    write: (also, scope) => held.write({}, also, scope),
    adopt: (also) => held.write({}, async (trx, now) => void (await also(trx, now))),
  };
}
