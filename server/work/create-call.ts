import type { UpstreamFailure } from '../errors.ts';
import type { CreateCallTable } from '../storage/tables.ts';

/**
 * The rules of a create call at Finix. It has no idempotency key: a call whose answer is missing may have made
 * something, may still make it, and lists may show it late. So each call is a row from before it is sent until its
 * answer, or a look at Finix's list, has decided what it made (records/create-calls.ts). Pure functions, because a test
 * tries them in every order of events.
 */

/** A create call that may have made something, as its row has it. Times are milliseconds since 1970. */
export interface OpenCall {
  id: string;
  /** How many instruments of its connection came before. Each generation has a tag of its own. */
  generation: number;
  sentAt: number;
  /**
   * null: no answer has come, so it may still be carried out. `error`: answered with an error that may have come after
   * the commit. `made`: it has made `instrument`, which its connection did not take.
   */
  outcome: null | 'error' | 'made';
  instrument: string | null;
}

export function toOpenCall({ id, generation, sent_at, outcome, instrument }: CreateCallTable): OpenCall {
  return { id, generation, sentAt: sent_at, outcome, instrument };
}

/** An instrument of the connection, or an identity of the customer, as Finix lists it. */
export interface SeenInstrument {
  id: string;
  generation: number;
  /** The call that made it; undefined when its tags don't name one. */
  call: string | undefined;
  enabled: boolean;
}

/** What a worker that is to make an instrument does next. */
export type CreateStep =
  | { kind: 'look' }
  | { kind: 'adopt'; id: string; duplicates: string[] }
  | { kind: 'wait'; until: number }
  | { kind: 'create' };

/**
 * @param calls the open calls of this generation
 * @param mustLook an instrument may exist without an open call, as after an older copy of the database was restored
 * @param seen what Finix lists of this generation, oldest first; undefined: not asked yet
 */
export function nextCreateStep({
  calls,
  mustLook,
  seen,
  now,
  quietMs,
}: {
  calls: readonly OpenCall[];
  mustLook: boolean;
  seen: readonly SeenInstrument[] | undefined;
  now: number;
  quietMs: number;
}): CreateStep {
  if (seen === undefined) return { kind: mustLook || calls.length > 0 ? 'look' : 'create' };
  const [oldest, ...duplicates] = seen.filter(({ enabled }) => enabled);
  if (oldest) return { kind: 'adopt', id: oldest.id, duplicates: duplicates.map(({ id }) => id) };
  const unanswered = calls.filter(({ outcome }) => outcome === null);
  const until = Math.max(...unanswered.map(({ sentAt }) => sentAt + quietMs));
  return now < until ? { kind: 'wait', until } : { kind: 'create' };
}

/** What a create call that failed leaves open: `nothing` was made, or see OpenCall. */
export function outcomeOfFailure(failure: UpstreamFailure, status: number | undefined): 'nothing' | 'error' | null {
  if (failure === 'lost') return null;
  // A server error may come after the commit.
  return (status ?? 0) >= 500 ? 'error' : 'nothing';
}

/** Which instrument a connection is to have. `undecided`: a worker is about to give it one of this generation. */
export type Kept = { kind: 'none' } | { kind: 'instrument'; id: string } | { kind: 'undecided'; generation: number };

/** Whether a worker is in charge of what this call makes: it looks for it, and may take it. */
export function isInWork(kept: Kept, { generation }: Pick<OpenCall, 'generation'>): boolean {
  return kept.kind === 'undecided' && kept.generation === generation;
}

/** What a lookup in Finix's list decides. */
export interface LookResult {
  /**
   * Enabled instruments that the connection must not have. They are disabled before anything of this result is written.
   */
  disable: string[];
  /** Calls whose outcome is known. Their rows are deleted. */
  decided: string[];
  /** Calls that are looked for once more, and when. */
  again: { id: string; at: number }[];
}

/**
 * After how many quiet periods a call is looked for; the last look decides. One is Finix's own worst case for a late
 * commit; the other two find what a list shows later than that.
 */
const SWEEPS = [1, 2, 4] as const;
/** The longest time between two sweeps, in quiet periods. */
export const LONGEST_LOOK_GAP = Math.max(...SWEEPS.map((count, i) => count - (SWEEPS[i - 1] ?? 0)));

/** When a call is looked for next. @returns undefined after the last look */
export function nextLook(sentAt: number, now: number, quietMs: number): number | undefined {
  return SWEEPS.map((count) => sentAt + count * quietMs).find((at) => at > now);
}

/**
 * @param calls the connection's open calls, of all generations
 * @param seen what Finix listed of the connection before `kept` was read, of all generations
 */
export function decideLook({
  kept,
  calls,
  seen,
  now,
  quietMs,
}: {
  kept: Kept;
  calls: readonly OpenCall[];
  seen: readonly SeenInstrument[];
  now: number;
  quietMs: number;
}): LookResult {
  const isOrphan = (id: string, generation: number) =>
    kept.kind === 'undecided' ? generation !== kept.generation : kept.kind === 'none' || id !== kept.id;
  const disable = new Set(
    seen.filter(({ id, generation, enabled }) => enabled && isOrphan(id, generation)).map(({ id }) => id),
  );
  const decided: string[] = [];
  const again: LookResult['again'] = [];
  for (const call of calls) {
    if (isInWork(kept, call)) {
      again.push({ id: call.id, at: now + quietMs });
    } else if (call.instrument !== null) {
      if (isOrphan(call.instrument, call.generation)) disable.add(call.instrument);
      decided.push(call.id);
    } else {
      const next = nextLook(call.sentAt, now, quietMs);
      if (next === undefined || seen.some((instrument) => instrument.call === call.id)) decided.push(call.id);
      else again.push({ id: call.id, at: next });
    }
  }
  return { disable: [...disable], decided, again };
}
