import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { esbuildPlugin } from '@web/dev-server-esbuild';
import { defaultReporter } from '@web/test-runner';
import { chromeLauncher } from '@web/test-runner-chrome';
import { tsImport } from 'tsx/esm/api';
import { browserBundles } from './test/helpers/browser-bundles.mjs';
import {
  chromiumArgs,
  findChromium,
  hasFonts,
  prefersPackaged,
  unusedChromiumFeatures,
} from './test/helpers/chromium.mjs';
import { findFirefox, firefoxPrefs } from './test/helpers/firefox.mjs';
import { isShuffled, retries, shuffleKey } from './test/helpers/order.mjs';
import { patient } from './test/helpers/patience.mjs';

const { trimmedLit } = await tsImport('./build/trim-lit.ts', import.meta.url);
const chromium = await findChromium(prefersPackaged() ? 'packaged' : undefined);
const firefox = await findFirefox();

function chromiumLauncher() {
  return chromeLauncher({
    // A full Chromium draws and focuses only the page in front, so that of two pages one would never get its next
    // frame: each has a window of its own, which a context of its own gives it, and believes to be the one in front.
    async createPage({ browser }) {
      const context = await browser.createBrowserContext();
      const page = await context.newPage();
      const devtools = await page.createCDPSession();
      await devtools.send('Emulation.setFocusEmulationEnabled', { enabled: true });
      return page;
    },
    launchOptions: {
      executablePath: chromium.path,
      args: [...chromiumArgs, `--disable-features=${unusedChromiumFeatures.join(',')}`],
      env: { ...process.env, ...chromiumEnv() },
    },
  });
}

/**
 * The packaged Chromium brings fonts; with those of the machine it lays out text as Firefox and its users' browsers do.
 */
function chromiumEnv() {
  const { FONTCONFIG_PATH, FONTCONFIG_FILE, ...env } = chromium.env;
  return hasFonts() ? env : { ...env, FONTCONFIG_PATH, FONTCONFIG_FILE };
}

/** The same launcher drives Firefox through WebDriver BiDi. */
function firefoxLauncher(executablePath) {
  // Firefox wants a folder of its own to write to; a container's user may have none.
  const home = mkdtempSync(join(tmpdir(), 'finix-bank-connect-firefox-'));
  process.once('exit', () => rmSync(home, { recursive: true, force: true }));
  const launcher = chromeLauncher({
    // Firefox has no other contexts to offer under this protocol than containers, which share what tests must not share
    // anyway.
    createBrowserContext: ({ browser }) => browser.defaultBrowserContext(),
    // It draws only the tab in front, so that of two pages one would wait for its next frame until it is given up.
    concurrency: 1,
    launchOptions: {
      browser: 'firefox',
      executablePath,
      extraPrefsFirefox: firefoxPrefs,
      env: { ...process.env, HOME: home, MOZ_HEADLESS: '1' },
    },
  });
  launcher.name = 'Firefox';
  return launcher;
}

/** A browser that was left out must not look like one that passed. */
const absenceReporter = {
  stop() {
    if (!firefox) console.log('== Firefox 126 or newer is not installed: the tests of the element were skipped in it');
  },
};

/** What a page logs for each test that it runs again. */
const RETRY = 'run again:';

/** Names the tests that passed only when they were run again: a retry must not hide a defect. */
const retryReporter = {
  stop({ sessions }) {
    const logs = sessions.flatMap(({ logs, testFile }) => logs.map(([first, name]) => [first, testFile, name]));
    const retried = logs.filter(([first]) => first === RETRY);
    if (retried.length > 0) console.warn(`== warning: ${retried.length} tests were run again`);
    for (const [, file, name] of retried) console.warn(`==   ${file} > ${name}`);
  },
};

/** The runner's own page, with a listener that logs retries. */
function testRunnerHtml(testFramework) {
  return `<!doctype html><html><head></head><body><script>
    Object.defineProperty(window, '__WTR_MOCHA_RUNNER__', { set(runner) {
      runner.on('retry', (test) => console.warn('${RETRY}', test.fullTitle()));
    } });
  </script><script type="module" src="${testFramework}"></script></body></html>`;
}

/**
 * Writes the counts to a file, so that the counts of several runners can be added up. A test file that could not load
 * counts as one failure.
 */
function countsReporter(folder) {
  const count = ({ suites, tests }) =>
    suites.map(count).reduce(
      (sum, { passed, failed, skipped }) => ({
        passed: sum.passed + passed,
        failed: sum.failed + failed,
        skipped: sum.skipped + skipped,
      }),
      {
        passed: tests.filter((test) => test.passed && !test.skipped).length,
        failed: tests.filter((test) => !test.passed && !test.skipped).length,
        skipped: tests.filter((test) => test.skipped).length,
      },
    );
  return {
    onTestRunFinished({ sessions }) {
      const trees = sessions.map((session) => session.testResults ?? { suites: [], tests: [] });
      const counts = count({ suites: trees, tests: [] });
      for (const session of sessions) {
        if (!session.passed && count(session.testResults ?? { suites: [], tests: [] }).failed === 0) counts.failed += 1;
      }
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'browser.json'), JSON.stringify(counts));
    },
  };
}

/** Lit as the script has it, so that the tests run on what pages get. */
const trimLitPlugin = {
  name: 'trim-lit',
  transform({ path, body }) {
    return trimmedLit(path, String(body));
  },
};

const TESTS = 'test/widget/browser';

const names = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'));
const files = names.filter((name) => name.endsWith('.test.ts')).map((name) => `${TESTS}/${name}`);
if (isShuffled) files.sort((a, b) => (shuffleKey(a) < shuffleKey(b) ? -1 : 1));

/** The tests in bundles, but where a source is watched, covered or debugged. */
async function openBundles() {
  if (process.argv.some((argument) => /^--(watch|coverage|manual|open)/.test(argument))) return undefined;
  return browserBundles(files, [{ name: 'trim-lit', transform: (code, id) => trimmedLit(id, code) }]);
}

const bundles = await openBundles();

function translate() {
  const plugin = esbuildPlugin({
    ts: true,
    target: 'es2022',
    tsconfig: fileURLToPath(new URL('./tsconfig.json', import.meta.url)),
  });
  const transform = plugin.transform?.bind(plugin);
  // What is in bundles is translated already, and has a map to its sources.
  plugin.transform = (context) => (bundles?.has(context.path) ? undefined : transform?.(context));
  return plugin;
}

const resultsFolder = process.env.TEST_RESULTS_DIR;

export default {
  files: isShuffled ? files : `${TESTS}/**/*.test.ts`,
  nodeResolve: { exportConditions: ['production', 'default'] },
  plugins: [...(bundles ? [bundles] : []), trimLitPlugin, translate()],
  browsers: [chromiumLauncher(), ...(firefox ? [firefoxLauncher(firefox)] : [])],
  // Two pages at a time keep two cores busy; with more, tests that wait for frames wait for each other.
  concurrency: 2,
  // A page that has not reported by then hangs; the slowest file (all states through axe) needs a fraction of it.
  testsFinishTimeout: patient(120_000),
  testRunnerHtml,
  testFramework: { config: { timeout: patient(10_000), retries } },
  reporters: [
    defaultReporter(),
    absenceReporter,
    retryReporter,
    ...(resultsFolder ? [countsReporter(resultsFolder)] : []),
  ],
  coverage: false,
  coverageConfig: { include: ['widget/**/*.ts'], report: true, reporters: ['lcovonly', 'text-summary'] },
};
