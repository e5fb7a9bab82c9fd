import type { FinixTransfer } from '../clients/finix-transfers.ts';

/**
 * The merchant's other payments at Finix. Their debits are dropped after one look into an index; what Finix makes to
 * take one back may name no instrument of its customer's, so that its debit must be asked for. Their number is the
 * merchant's business, and must not use up what Finix allows.
 */
export interface ForeignTransfers {
  /** Keeps that a debit or a payout is none of ours. */
  note(transfer: Pick<FinixTransfer, 'id'>): void;
  /**
   * Whether a reversal is of a debit that is known to be none of ours. Only its debit proves that: the instrument that
   * it names may be the merchant's own account, which takes part in every payment.
   */
  has(reversal: Pick<FinixTransfer, 'parent'>): boolean;
  /** Takes one question about a debit that may be foreign. @returns milliseconds until there is one; 0: taken */
  take(): number;
}

/** Finix reports a return on the debit and by its reversal within moments; ten minutes outlast a slow pair. */
const KEEP_MS = 10 * 60_000;
/** Of about 100 bytes each: 10 MB at most. */
const MOST = 100_000;
/** Questions at once, for a morning's file of returns, and then for each second: a small part of a provider's limit. */
const BURST = 20;
const PER_SECOND = 5;

/** @param now milliseconds, of a clock that is never set back */
export function createForeignTransfers(now: () => number = () => performance.now()): ForeignTransfers {
  /**
   * The last ones in turn, and until when each is known. A map by itself would search for its oldest entry ever longer.
   */
  const ids: string[] = [];
  const until: number[] = [];
  /** The number of the note that counts, by id. */
  const known = new Map<string, number>();
  let notes = 0;
  let tokens = BURST;
  let filledAt = now();

  return {
    note({ id }) {
      const place = notes % MOST;
      const oldest = ids[place];
      if (oldest !== undefined && known.get(oldest) === notes - MOST) known.delete(oldest);
      ids[place] = id;
      until[place] = now() + KEEP_MS;
      known.set(id, notes);
      notes += 1;
    },
    has({ parent }) {
      const note = parent === null ? undefined : known.get(parent);
      return note !== undefined && (until[note % MOST] ?? 0) > now();
    },
    take() {
      const passed = now() - filledAt;
      filledAt += passed;
      tokens = Math.min(BURST, tokens + (passed * PER_SECOND) / 1000);
      if (tokens < 1) return Math.ceil(((1 - tokens) * 1000) / PER_SECOND);
      tokens -= 1;
      return 0;
    },
  };
}
