import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startBuiltServer } from './built-server.ts';
import { percentile } from './statistics.ts';

/** Milliseconds, medians over `runs`. */
export interface StartFigures {
  runs: number;
  /** From the start of the process, on an empty data folder, to the first 200 of `/healthz`. */
  ready_ms: number;
  /** A Node process that does nothing, in the same run: what no server can beat on this machine. */
  bare_node_ms: number;
  ratio: number;
}

/** Odd, so that the median is a run that happened; five are enough to outvote a busy moment. */
const RUNS = 5;

export async function measureStart(): Promise<StartFigures> {
  // Nothing is asked of it while the server starts.
  const nowhere = { plaidUrl: 'http://127.0.0.1:9/plaid', finixUrl: 'http://127.0.0.1:9/finix' };
  const ready: number[] = [];
  const bare: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const begin = performance.now();
    const server = await startBuiltServer(nowhere);
    try {
      const { status } = await fetch(`${server.url}/healthz`);
      if (status !== 200) throw new Error(`/healthz answered ${status}.`);
      ready.push(performance.now() - begin);
    } finally {
      await server.stop();
    }
    const beginBare = performance.now();
    await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
    bare.push(performance.now() - beginBare);
  }
  const [readyMs, bareMs] = [percentile(ready, 0.5), percentile(bare, 0.5)];
  return { runs: RUNS, ready_ms: readyMs, bare_node_ms: bareMs, ratio: readyMs / bareMs };
}
