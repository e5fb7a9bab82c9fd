import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { UpstreamError } from '../../server/clients/outbound.ts';
import type { Clients } from '../../server/create-server.ts';
import { sha256 } from '../../server/ids.ts';
import type { Storage } from '../../server/storage/open.ts';

/**
 * Named points of the money path, at which a process can be told to die or to freeze: before and after each call, and before and after
 * each commit of a session, counted by its version. They lie in what a test puts around the clients and the storage, so the server
 * itself knows nothing of them.
 */
export interface Points {
  /** What happens at which point, once. */
  arm(point: string, action: 'kill' | 'freeze'): void;
  /** Says each point that is passed. */
  trace(): void;
  hit(point: string): void;
}

/** Lines to the suite. Synchronous, so that they are out before the process stops. */
export function say(line: string): void {
  try {
    writeSync(1, `${line}\n`);
  } catch {
    // The suite is gone, and an instance without it has no reason to be.
    process.exit(1);
  }
}

export function createPoints(): Points {
  let armed: { point: string; action: 'kill' | 'freeze' } | undefined;
  let traced = false;
  return {
    arm: (point, action) => {
      armed = { point, action };
    },
    trace: () => {
      traced = true;
    },
    hit(point) {
      if (traced) say(`point ${point}`);
      if (armed?.point !== point) return;
      const { action } = armed;
      armed = undefined;
      say(`${action} ${point}`);
      process.kill(process.pid, action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
    },
  };
}

export function clientsWithPoints({ plaid, finix }: Clients, { hit }: Points): Clients {
  const around =
    <A extends unknown[], T>(name: string, call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      hit(`before ${name}`);
      const answer = await call(...args);
      hit(`after ${name}`);
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
          // The ledger does not know what did not arrive in time on a busy machine.
          if (error instanceof UpstreamError && error.failure === 'lost') say(`lost ${sha256(publicToken)}`);
          throw error;
        }
      },
      getAccounts: around('reading accounts', plaid.getAccounts),
      createProcessorToken: around('the processor token', plaid.createProcessorToken),
    },
    finix: {
      ...finix,
      createIdentity: around('creating the identity', finix.createIdentity),
      createPaymentInstrument: around('creating the instrument', finix.createPaymentInstrument),
    },
  };
}

/** At most so long is what Plaid and Finix say on its way, when they are asked what is true: by then it may not be true any more. */
const ON_ITS_WAY_MS = 80;

export function clientsWithSlowNews({ plaid, finix }: Clients): Clients {
  const slowly =
    <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      const answer = await call(...args);
      await sleep(Math.random() * ON_ITS_WAY_MS);
      return answer;
    };
  return {
    plaid: { ...plaid, getItemError: slowly(plaid.getItemError) },
    finix: { ...finix, getPaymentInstrument: slowly(finix.getPaymentInstrument) },
  };
}

export function storageWithPoints(storage: Storage, { hit }: Points): Storage {
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

/** The money path's transactions give the session as written; of others there is no point. */
function commitOf(result: unknown): string | undefined {
  const row = (result as { session?: unknown } | undefined)?.session ?? result;
  const { version, recovery_point } = (row ?? {}) as { version?: number; recovery_point?: string };
  return version === undefined || recovery_point === undefined ? undefined : `commit ${version} (${recovery_point})`;
}
