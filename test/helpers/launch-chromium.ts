import { type Browser, chromium, type LaunchOptions } from 'playwright-core';
import { chromiumArgs, findChromium } from './chromium.mjs';

/**
 * Starts the Chromium of this machine, or the bundled one.
 * @param more arguments of the test, in addition to those that keep the browser off the network
 */
export async function launchChromium(
  more: string[] = [],
  options: Pick<LaunchOptions, 'ignoreDefaultArgs'> = {},
  found: Awaited<ReturnType<typeof findChromium>> | undefined = undefined,
): Promise<Browser> {
  const { path, env } = found ?? (await findChromium());
  return chromium.launch({
    ...options,
    executablePath: path,
    args: [...chromiumArgs, ...more],
    env: { ...process.env, ...env } as Record<string, string>,
    chromiumSandbox: false,
  });
}
