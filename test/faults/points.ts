import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { UpstreamError } from '../../server/clients/outbound.ts';
import type { Clients } from '../../server/create-server.ts';
import { sha256 } from '../../server/ids.ts';
import type { Storage } from '../../server/storage/open.ts';

/**
 * Named points of the money path, at which a process can be ordered to die or to freeze: before and after each call,
 * and before and after each commit of a session, counted by its version. They are in wrappers around the clients and
 * the storage, so the server itself has no code for them.
 */
export interface Points {
  /** Strikes once, when the point is reached. `hold`, which commits don't know, stops one worker and no other. */
  arm(point: string, action: Action): void;
  /** Lets the worker go on that is held. */
  go(): void;
  /** Prints each point that is passed. */
  trace(): void;
  hit(point: string): void;
  /** As `hit`, at a call; resolves when the worker may go on. */
  reach(point: string): Promise<void>;
}

type Action = 'kill' | 'freeze' | 'hold';

/** Sends a line to the suite. Synchronous, so that it is out before the process stops. */
export function print(line: string): void {
  try {
    writeSync(1, `${line}\n`);
  } catch {
    // The suite is gone, and an instance has no purpose without it.
    process.exit(1);
  }
}

export function createPoints(): Points {
  let armed: { point: string; action: Action } | undefined;
  let traced = false;
  let go = () => {};
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  const points: Points = {
    arm: (point, action) => {
      armed = { point, action };
    },
    go,
    trace: () => {
      traced = true;
    },
    hit(point) {
      if (traced) print(`point ${point}`);
      if (armed?.point !== point) return;
      const { action } = armed;
      armed = undefined;
      print(`${action} ${point}`);
      process.kill(process.pid, action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
    },
    async reach(point) {
      if (armed?.point !== point || armed.action !== 'hold') return points.hit(point);
      armed = undefined;
      print(`hold ${point}`);
      await gone;
    },
  };
  return points;
}

export function clientsWithPoints({ plaid, finix }: Clients, { reach }: Points): Clients {
  const around =
    <A extends unknown[], T>(name: string, call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      await reach(`before ${name}`);
      const answer = await call(...args);
      await reach(`after ${name}`);
      return answer;
    };
  const exchange = around('the exchange', plaid.exchangePublicToken);
  return {
    plaid: {
      ...plaid,
      async exchangePublicToken(publicToken) {
        try {
          return await exchange(publicToken);
        } catch (error) {
          // The simulator does not know which answers arrived too late on a busy machine.
          if (error instanceof UpstreamError && error.failure === 'lost') print(`lost ${sha256(publicToken)}`);
          throw error;
        }
      },
      getAccounts: around('reading accounts', plaid.getAccounts),
      matchOwner: around('comparing the owner', plaid.matchOwner),
      createProcessorToken: around('the processor token', plaid.createProcessorToken),
      limitProcessorToken: around('limiting the processor token', plaid.limitProcessorToken),
      evaluateDebit: around('evaluating the debit', plaid.evaluateDebit),
      reportDecision: around('reporting the decision', plaid.reportDecision),
      reportReturn: around('reporting the return', plaid.reportReturn),
    },
    finix: {
      ...finix,
      createIdentity: around('creating the identity', finix.createIdentity),
      createPaymentInstrument: around('creating the instrument', finix.createPaymentInstrument),
    },
  };
}

/** An answer about the current state takes this long at most, and may be out of date when it arrives. */
const TRANSIT_MS = 80;

export function clientsWithSlowReads({ plaid, finix }: Clients): Clients {
  const slowly =
    <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      const answer = await call(...args);
      await sleep(Math.random() * TRANSIT_MS);
      return answer;
    };
  return {
    plaid: { ...plaid, getItemError: slowly(plaid.getItemError) },
    finix: { ...finix, getPaymentInstrument: slowly(finix.getPaymentInstrument) },
  };
}

export function storageWithPoints(storage: Storage, { hit }: Points): Storage {
  const commitOf = createCommitNames();
  return {
    ...storage,
    async transaction(scope, fn) {
      let commit: string | undefined;
      const result = await storage.transaction(scope, async (trx) => {
        const inner = await fn(trx);
        commit = commitOf(inner);
        if (commit) hit(`before ${commit}`);
        return inner;
      });
      if (commit) hit(`after ${commit}`);
      return result;
    },
  };
}

/**
 * The money path's transactions return the session as written, and a check's return its row or its answer; other
 * transactions have no point. A commit is named by
 * its recovery point, and counted from the first one there: a wait on a busy machine, which is a commit too, changes
 * the names of no others.
 */
function createCommitNames(): (result: unknown) => string | undefined {
  const firstAt = new Map<string, number>();
  return (result) => {
    const { client_transaction_id, isMine, object } = (result ?? {}) as Record<string, unknown>;
    if (client_transaction_id !== undefined && isMine === true) return 'taking the check';
    if (object === 'check') return 'answering the check';
    const row = (result as { session?: unknown } | undefined)?.session ?? result;
    const { id, version, recovery_point } = (row ?? {}) as { id?: string; version?: number; recovery_point?: string };
    if (version === undefined || recovery_point === undefined) return undefined;
    const first = firstAt.get(`${id} ${recovery_point}`) ?? version;
    firstAt.set(`${id} ${recovery_point}`, first);
    return `commit ${version - first + 1} of ${recovery_point}`;
  };
}
