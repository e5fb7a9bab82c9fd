import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { isShuffled, shuffleKey } from './order.mjs';

/** Their tests wait for half of their time; the others', of browsers and compilers, need a core for all of theirs. */
const HALF_WAITING = ['test/server/', 'test/simulator/'];
/** A process ends where the next file belongs to another project, so each stays together. */
const PROJECTS = ['shared process', 'own process', 'faults', 'waiting'];

/** The files that take more than 15 s on two busy cores. A clean checkout has no times of an earlier run. */
const LONGEST = [
  'test/server/in-doubt.test.ts',
  'test/server/recovery.test.ts',
  'test/server/graceful-stop.test.ts',
  'test/server/storage/pooler.test.ts',
  'test/package/packages.test.ts',
  'test/journey/story.test.ts',
  'test/journey/appearance.test.ts',
  'test/journey/modes.test.ts',
  'test/server/returns.test.ts',
  'test/server/commands.test.ts',
  'test/journey/words.test.ts',
  'test/simulator/link-modes.test.ts',
  'test/journey/interruptions.test.ts',
  'test/package/snippets.test.ts',
  'test/package/command-line.test.ts',
  'test/journey/pages.test.ts',
  'test/journey/quickstart.test.ts',
  'test/journey/links.test.ts',
  'test/journey/checkout.test.ts',
  'test/journey/docs.test.ts',
  'test/package/react-hidden.test.ts',
];

/**
 * Starts the longest files first, so that none of them runs alone at the end while the other core waits, and at any
 * time some that wait next to some that use what these leave of the cores. With TEST_SEED the files of a project come
 * in the order of that seed instead, and so do the projects, each of which stays together because its files share
 * processes.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files);
    const keys = isShuffled ? this.#shuffled(usual) : this.#mixed(usual);
    return usual.sort((a, b) => compare(keys.get(a) ?? [], keys.get(b) ?? []));
  }

  #shuffled(files: TestSpecification[]): Map<TestSpecification, Key> {
    return new Map(
      files.map((file) => [
        file,
        [file.project.config.sequence.groupOrder, shuffleKey(file.project.name), shuffleKey(this.#nameOf(file))],
      ]),
    );
  }

  #mixed(files: TestSpecification[]): Map<TestSpecification, Key> {
    const keys = new Map<TestSpecification, Key>();
    for (const waits of [true, false]) {
      const kind = files.filter(
        (file) => HALF_WAITING.some((folder) => this.#nameOf(file).startsWith(folder)) === waits,
      );
      for (const [i, file] of kind.entries()) {
        const { name, config } = file.project;
        const rank = LONGEST.indexOf(this.#nameOf(file));
        // Both kinds of the others are spread over the rest of the run.
        const place = rank < 0 ? LONGEST.length + i / kind.length : rank;
        keys.set(file, [config.sequence.groupOrder, PROJECTS.indexOf(name), place]);
      }
    }
    return keys;
  }

  #nameOf({ moduleId }: TestSpecification): string {
    return relative(this.ctx.config.root, moduleId).replaceAll('\\', '/');
  }
}

type Key = (number | string)[];

/** Keys at the same place are of the same type. */
function compare(a: Key, b: Key): number {
  const differs = a.findIndex((key, i) => key !== b[i]);
  return differs < 0 ? 0 : (a[differs] ?? 0) < (b[differs] ?? 0) ? -1 : 1;
}
