import type { CompiledQuery } from 'kysely';
import type { FinixTransfer } from '../clients/finix-transfers.ts';
import type { Storage } from '../storage/open.ts';

type Sides = Pick<FinixTransfer, 'source' | 'destination'>;

/**
 * Which instruments are ours. One look into an index, because most of what Finix reports is about the merchant's other
 * customers: events that arrive within milliseconds share it, and its query is built once.
 */
export interface OwnInstruments {
  /** The instrument of ours that each transfer debits or pays, in their order; undefined: none. */
  find(transfers: readonly Sides[]): Promise<(string | undefined)[]>;
}

/** Ids in one query; every database takes far more. */
const MOST = 64;
/**
 * How long the first of several events waits for the others: at 1,000 a second some five share a query, which costs as
 * much as the rest of what is done about one of them. A sender notices nothing of it.
 */
const GATHER_MS = 5;

interface Found {
  payment_instrument: string;
}

interface Question {
  transfers: readonly Sides[];
  answer(own: ReadonlySet<string>): void;
  fail(error: unknown): void;
}

export function createOwnInstruments({ db }: Pick<Storage, 'db'>): OwnInstruments {
  /** By the number of ids. */
  const queries = new Map<number, CompiledQuery<Found>>();
  let waiting: Question[] = [];

  function queryFor(count: number, ids: string[]): CompiledQuery<Found> {
    const built =
      queries.get(count) ??
      db
        .selectFrom('connection_instruments')
        .select('payment_instrument')
        .where('payment_instrument', 'in', ids)
        .compile();
    queries.set(count, built);
    return { ...built, parameters: ids };
  }

  async function look(ids: string[]): Promise<string[]> {
    // A few numbers of ids, so that databases know the text of each query.
    let count = 1;
    while (count < ids.length) count *= 2;
    const padded = [...ids, ...Array<string>(count - ids.length).fill(ids[0] ?? '')];
    const { rows } = await db.executeQuery(queryFor(count, padded));
    return rows.map(({ payment_instrument }) => payment_instrument);
  }

  async function answerAll(): Promise<void> {
    const questions = waiting;
    waiting = [];
    try {
      const ids = [...new Set(questions.flatMap(({ transfers }) => transfers.flatMap(sidesOf)))];
      const own = new Set<string>();
      for (let from = 0; from < ids.length; from += MOST) {
        for (const id of await look(ids.slice(from, from + MOST))) own.add(id);
      }
      for (const { answer } of questions) answer(own);
    } catch (error) {
      for (const { fail } of questions) fail(error);
    }
  }

  return {
    async find(transfers) {
      if (transfers.every(isUnnamed)) return transfers.map(() => undefined);
      const own = await new Promise<ReadonlySet<string>>((answer, fail) => {
        if (waiting.length === 0) setTimeout(() => void answerAll(), GATHER_MS);
        waiting.push({ transfers, answer, fail });
      });
      return transfers.map((transfer) => sidesOf(transfer).find((id) => own.has(id)));
    },
  };
}

function isUnnamed({ source, destination }: Sides): boolean {
  return source === null && destination === null;
}

function sidesOf({ source, destination }: Sides): string[] {
  return [source, destination].filter((id) => id !== null);
}
