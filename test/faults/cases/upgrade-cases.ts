import { setTimeout as sleep } from 'node:timers/promises';
import { versionBefore } from '../checkout.ts';
import type { Environment } from '../environment.ts';
import type { FaultCase } from '../round.ts';
import { UPGRADE } from '../scenarios/upgrade-scenarios.ts';

const OLD = 2;

/** A rolling upgrade: the new version starts next to the old one, brings the schema up to date, and takes its place. */
async function upgrade(environment: Environment, sessions: number): Promise<void> {
  const { cluster, options, random } = environment;
  const living = environment.live(sessions, UPGRADE);
  // Awaited below: until then its failure must not end the suite.
  living.catch(() => {});
  // The old version is processing sessions by then.
  await sleep(random.between(800, 1_800));
  await cluster.fill(OLD, options.server);
  // Old and new work side by side for a while.
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
    sessions: { full: 20, short: 8 },
    options: { webhooks: {} },
    startsWith: versionBefore,
    controls: ['earlier version'],
    run: upgrade,
  },
];
