import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { prefersPackaged } from './test/helpers/chromium.mjs';
import { LongestFirst } from './test/helpers/longest-first.ts';
import { memoryFolder } from './test/helpers/memory-folder.ts';
import { retries } from './test/helpers/order.mjs';
import { testsOfOneProcess } from './test/helpers/own-process.ts';
import { patient } from './test/helpers/patience.mjs';
import { RetryReporter } from './test/helpers/retry-reporter.ts';

const resultsFolder = process.env['TEST_RESULTS_DIR'];

const retryReporter = new RetryReporter();

const folder = memoryFolder();
/** Of tests that have their databases in memory. */
export const env = { ...(folder && { TMPDIR: folder }), ...(prefersPackaged() && { FBC_BROWSER: 'packaged' }) };

const folders = ['test/server', 'test/simulator', 'test/journey', 'test/package', 'test/fuzz', 'test/widget/unit'];
const ownProcess = testsOfOneProcess(folders);

/** They wait for more than three quarters of their time, for timeouts and for periods of the server that are real. */
const waiting = [
  'test/server/in-doubt.test.ts',
  'test/server/recovery.test.ts',
  'test/server/graceful-stop.test.ts',
  'test/server/storage/pooler.test.ts',
];

/** The faults, which wait as well, and these: two files at a time use less than a core. */
const together = { maxWorkers: 2, sequence: { groupOrder: 1 } };

export default defineConfig({
  test: {
    environment: 'node',
    // With a folder for results, also counts in a file, which .ci/run adds to those of the browser tests.
    reporters: ['default', retryReporter, ...(resultsFolder ? ['json'] : [])],
    // Not an option of the reporter, which would go before the one of the command line.
    ...(resultsFolder && { outputFile: { json: join(resultsFolder, 'node.json') } }),
    // A poll ends when its condition holds; the default of a second is too short for a process or a first import. A
    // look may ask a browser, which has work of its own: often enough for an eye, and not for most of a core.
    expect: { poll: { timeout: patient(10_000), interval: 50 } },
    // A test may start processes and browsers, each of which takes seconds on a busy machine.
    testTimeout: patient(60_000),
    hookTimeout: patient(60_000),
    setupFiles: ['no-network.ts', 'restore-process.ts'].map((file) => join(import.meta.dirname, 'test/helpers', file)),
    // A test waits for a process, a database or a browser for about half of its time: four files keep two cores busy.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    retry: retries,
    projects: [
      {
        extends: true,
        test: {
          name: 'shared process',
          env,
          include: folders.map((folder) => `${folder}/**/*.test.ts`),
          exclude: [...ownProcess, ...waiting],
          // The server and its libraries take longer to load and to warm up than most files take to run: a process
          // that keeps them needs about half the time. Each test starts a server or a demo of its own, and opens a
          // browser context of its own, so files share nothing else.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'own process',
          env,
          include: ownProcess,
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          // Its short timeouts would find a busy machine slow. `npm test` runs it next to the others, but before them
          // wherever it wants a core.
          ...together,
        },
      },
      {
        extends: true,
        test: {
          name: 'waiting',
          env,
          include: waiting,
          isolate: false,
          ...together,
        },
      },
    ],
  },
});
