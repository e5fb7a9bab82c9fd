import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../helpers/server.ts';
import { versionBefore } from '../checkout.ts';
import type { Environment } from '../environment.ts';
import { Moment } from '../moment.ts';
import type { FaultCase } from '../round.ts';
import { SIDE_BY_SIDE, UPGRADE } from '../scenarios/upgrade-scenarios.ts';

const OLD = 2;
/** Both versions share two cores with PostgreSQL and the customers; what takes long here is slow, and not lost. */
const PATIENCE_MS = 3 * 60_000;

/** A rolling upgrade: the new version starts next to the old one, brings the schema up to date, and takes its place. */
async function upgrade(environment: Environment, sessions: number): Promise<void> {
  const { cluster, options, random } = environment;
  const sideBySide = new Moment(sessions);
  const living = environment.live(sessions, UPGRADE, { moments: { [SIDE_BY_SIDE]: sideBySide } });
  let isOver = false;
  // Awaited below: until then its failure must not end the suite.
  living
    .catch(() => {})
    .finally(() => {
      isOver = true;
    });
  const exchanges = () => environment.upstream.simulator.ledger.items().filter(({ exchanged }) => exchanged).length;
  const exchanged = (count: number) => eventually(async () => isOver || exchanges() >= count, PATIENCE_MS);
  // The old version is processing sessions by then.
  await exchanged(sessions / 4);
  await cluster.fill(OLD, options.server);
  sideBySide.pass();
  const before = exchanges();
  // Old and new work side by side for a while.
  await exchanged(before + 1);
  await sleep(random.between(200, 600));
  for (let place = 0; place < OLD; place++) {
    const old = cluster.empty(place);
    await cluster.fill(place, options.server);
    old?.signal('SIGTERM');
    await old?.exited;
  }
  await living;
  for (const { stderr } of cluster.failedStarts) {
    environment.problems.push(`an instance could not start: ${stderr.match(/\w*[Ee]rror: .*/)?.[0] ?? stderr}`);
  }
}

export const upgradeCases: FaultCase[] = [
  {
    name: 'an upgrade under load, two versions side by side',
    stores: ['postgres'],
    instances: OLD,
    rounds: { full: 20, short: 1 },
    // More would only measure how two versions of a round starve those of the next.
    roundsAtOnce: 1,
    sessions: { full: 20, short: 8 },
    options: { webhooks: {}, patienceMs: PATIENCE_MS },
    startsWith: versionBefore,
    controls: ['earlier version'],
    detectsBy: /could not start.*(deadlock detected|40P01)/s,
    run: upgrade,
  },
];
