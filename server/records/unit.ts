import type { StorageTransaction } from '../storage/open.ts';
import type { Initiator } from './audit.ts';
import type { Outbox } from './outbox.ts';

/** One transaction's work on records: everything written in it has the same time and the same initiator. */
export interface Unit {
  readonly trx: StorageTransaction;
  readonly outbox: Outbox;
  readonly now: number;
  readonly by: Initiator;
}
