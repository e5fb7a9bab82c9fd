import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { isShuffled, shuffleKey } from './order.mjs';

/** Server tests mostly wait, which leaves the machine to the tests of the element; the others need all of it. */
const JOURNEYS = 'test/journey/';
const FOLDERS = ['test/server/', 'test/simulator/', JOURNEYS];
/** A process ends where the next file belongs to another project, so each stays together. */
const PROJECTS = ['shared process', 'own process', 'faults'];

/**
 * The files that take more than 15 s on two busy cores: of each folder the longest first, but that those which mostly
 * wait come between others, which use what they leave of the cores. A clean checkout has no times of an earlier run.
 */
const LONGEST = [
  'test/server/verification-postgres.test.ts',
  'test/server/in-doubt.test.ts',
  'test/server/returns-postgres.test.ts',
  'test/server/links-postgres.test.ts',
  'test/server/returns.test.ts',
  'test/server/commands.test.ts',
  'test/server/recovery.test.ts',
  'test/simulator/link-modes.test.ts',
  'test/journey/story.test.ts',
  'test/journey/appearance.test.ts',
  'test/server/graceful-stop.test.ts',
  'test/journey/modes.test.ts',
  'test/journey/docs.test.ts',
  'test/journey/pages.test.ts',
  'test/server/storage/pooler.test.ts',
  'test/journey/checkout.test.ts',
  'test/journey/quickstart.test.ts',
  'test/journey/words.test.ts',
  'test/journey/links.test.ts',
  'test/journey/outcomes.test.ts',
  'test/journey/interruptions.test.ts',
  'test/journey/several-banks.test.ts',
  'test/package/packages.test.ts',
  'test/package/old-browser-hosts.test.ts',
  'test/package/snippets.test.ts',
  'test/package/command-line.test.ts',
  'test/package/fresh-clone.test.ts',
];

/** They wait for most of a minute. Next to the server's other tests, which wait as well, a core would be idle. */
const AMONG_JOURNEYS = ['test/server/graceful-stop.test.ts', 'test/server/storage/pooler.test.ts'];

/**
 * Starts the longest files first, so that none of them runs alone at the end while the other core waits. With TEST_SEED
 * the files of a project come in the order of that seed instead, and so do the projects, each of which stays together
 * because its files share processes.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files);
    const keys = new Map(usual.map((file, i) => [file, this.#keys(file, i)]));
    return usual.sort((a, b) => compare(keys.get(a) ?? [], keys.get(b) ?? []));
  }

  #nameOf({ moduleId }: TestSpecification): string {
    return relative(this.ctx.config.root, moduleId).replaceAll('\\', '/');
  }

  #keys(file: TestSpecification, usual: number): (number | string)[] {
    const name = this.#nameOf(file);
    const { project } = file;
    const { groupOrder } = project.config.sequence;
    if (isShuffled) return [groupOrder, shuffleKey(project.name), shuffleKey(name)];
    const rank = LONGEST.indexOf(name);
    const place = AMONG_JOURNEYS.includes(name) ? JOURNEYS : name;
    const folder = FOLDERS.findIndex((one) => place.startsWith(one));
    return [
      groupOrder,
      PROJECTS.indexOf(project.name),
      folder < 0 ? FOLDERS.length : folder,
      rank < 0 ? LONGEST.length : rank,
      usual,
    ];
  }
}

/** Keys at the same place are of the same type. */
function compare(a: (number | string)[], b: (number | string)[]): number {
  const differs = a.findIndex((key, i) => key !== b[i]);
  return differs < 0 ? 0 : (a[differs] ?? 0) < (b[differs] ?? 0) ? -1 : 1;
}
