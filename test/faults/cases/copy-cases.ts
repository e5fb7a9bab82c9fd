import { eventually } from '../../helpers/server.ts';
import { whyNoCopy } from '../copies.ts';
import { Moment } from '../moment.ts';
import type { FaultCase } from '../round.ts';
import { COPIES, REPLICA } from '../scenarios/copy-scenarios.ts';
import { CALLS, slowly } from '../times.ts';

/** A session then takes the better part of a second, so that many are in progress at any time. */
const SLOW_MS = 150;
const PATIENCE_MS = slowly(45_000);

/** Databases of which an older copy is restored. Afterwards the operator runs `reconcile`. */
export const copyCases: FaultCase[] = [
  {
    name: 'an older copy of the database is put back',
    instances: { sqlite: 1, postgres: 2 },
    sessions: { full: 3 * COPIES.length, short: COPIES.length },
    storesInShort: ['sqlite'],
    options: { webhooks: {} },
    skipped: whyNoCopy,
    controls: ['earlier version'],
    async run(environment, sessions) {
      const moments = { copied: new Moment(sessions), 'put back': new Moment(sessions) };
      const living = environment.live(sessions, COPIES, { moments });
      // Awaited below: until then its failure must not end the suite.
      living.catch(() => {});
      await moments.copied.all;
      const copy = await environment.copy();
      moments.copied.pass();
      await moments['put back'].all;
      await environment.putBack(copy);
      moments['put back'].pass();
      await living;
      await environment.reconcile();
    },
  },
  {
    name: 'a replica without the last commits is promoted',
    instances: 2,
    // Half of them begin before the copy, and some of these have their instrument then.
    sessions: { full: 24, short: 0 },
    options: { webhooks: {} },
    skipped: whyNoCopy,
    controls: ['earlier version'],
    async run(environment, sessions) {
      for (const call of CALLS) environment.fault({ ...call, kind: 'delay', delayMs: SLOW_MS });
      const moments = { copied: new Moment(sessions), promoted: new Moment(sessions) };
      const living = environment.live(sessions, REPLICA, { moments });
      living.catch(() => {});
      const made = () => environment.upstream.simulator.ledger.instruments().length;
      await eventually(async () => made() >= sessions / 8, PATIENCE_MS);
      const copy = await environment.copy();
      moments.copied.pass();
      // The replica knows nothing of a quarter at least. All of the first half may be in flight at the copy, which then
      // knows of their create calls.
      await eventually(async () => made() >= (3 * sessions) / 4, PATIENCE_MS);
      await environment.putBack(copy, { isReplica: true });
      moments.promoted.pass();
      await living;
      await environment.reconcile();
    },
  },
];
