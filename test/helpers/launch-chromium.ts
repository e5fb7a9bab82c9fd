import { type Browser, chromium, type LaunchOptions } from 'playwright-core';
import { chromiumArgs, type FoundChromium, findChromium, unusedChromiumFeatures } from './chromium.mjs';

/**
 * Those of the features that Playwright disables which can change what a test sees. Chromium obeys the last of several
 * lists, and a test's arguments come after Playwright's own.
 */
const DISABLED_BY_PLAYWRIGHT = [
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'DestroyProfileOnBrowserClose',
  'HttpsUpgrades',
  'HttpsFirstBalancedModeAutoEnable',
  'LensOverlay',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PaintHolding',
  'PreconnectToSearch',
  'ThirdPartyStoragePartitioning',
];

/**
 * Starts the Chromium of this machine, or the bundled one.
 * @param more arguments of the test, in addition to those that keep the browser off the network
 */
export async function launchChromium(
  more: string[] = [],
  options: Pick<LaunchOptions, 'ignoreDefaultArgs'> = {},
  found: FoundChromium | undefined = undefined,
): Promise<Browser> {
  const disabledFeatures = `--disable-features=${[...DISABLED_BY_PLAYWRIGHT, ...unusedChromiumFeatures].join(',')}`;
  const { path, env } = found ?? (await findChromium());
  return chromium.launch({
    ...options,
    executablePath: path,
    args: [...chromiumArgs, disabledFeatures, ...more],
    env: { ...process.env, ...env } as Record<string, string>,
    chromiumSandbox: false,
  });
}

const SHARED = Symbol.for('finix-bank-connect.shared-chromium');

/**
 * The one browser of this process, for all of its test files: starting and ending one takes as much of a core as a
 * short test. What tests share by it is nothing that they can see, as each opens a context of its own and closes that.
 * The browser ends with the process, whose pipe it listens to.
 */
export async function sharedChromium(): Promise<Browser> {
  // A file may have its own copy of this module.
  const shared = globalThis as { [SHARED]?: Promise<Browser> | undefined };
  shared[SHARED] ??= launchChromium();
  const starting = shared[SHARED];
  const browser = await starting.catch(() => undefined);
  if (browser?.isConnected()) return browser;
  // One that a test has crashed must not fail the tests after it.
  if (shared[SHARED] === starting) shared[SHARED] = launchChromium();
  return shared[SHARED];
}

/** Closes what the tests of a file have opened in it, and have not closed themselves. */
export async function leaveChromium(browser: Browser | undefined): Promise<void> {
  await Promise.all(browser?.contexts().map((context) => context.close()) ?? []);
}

/**
 * Starts the browser near the support floor. It gets no list of features: it knows others than the browsers of today.
 * @param old what `findOldChromium` found, on which its tests depend
 */
export async function launchOldChromium(old: FoundChromium | null): Promise<Browser> {
  if (!old) throw new Error('There is no browser near the support floor; its tests must be skipped.');
  return chromium.launch({
    executablePath: old.path,
    args: [...chromiumArgs],
    env: { ...process.env, ...old.env } as Record<string, string>,
    chromiumSandbox: false,
  });
}
