import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Frame, Page } from 'playwright-core';

// Half as long as what the module offers as its source, for the browser to be sent and to read.
const axe = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Axe {
  run(
    context: Document,
    options: object,
  ): Promise<{ violations: { id: string; nodes: { target: unknown[]; failureSummary?: string }[] }[] }>;
}

/**
 * What the rules that a program can check find: WCAG 2.2 AA and best practices. They look into elements, too, and into
 * frames. The checker comes from outside of the page, whose own policy may let no other script in.
 * @param isLookedAt the frames to look into; all of them when left out
 */
export async function barriers(page: Page, isLookedAt: (frame: Frame) => boolean = () => true): Promise<string[]> {
  for (const frame of page.frames().filter(isLookedAt)) {
    if (!(await frame.evaluate(() => 'axe' in globalThis))) await frame.evaluate(await axe);
  }
  return page.evaluate(async () => {
    // Only what is wrong leaves the page: with all that is right it would be a hundred times as long.
    const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      resultTypes: ['violations'],
    });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} ${failureSummary}`),
    );
  });
}

/**
 * In the page: waits for the change to be drawn, what listens to it included, and for colors that go over into others.
 */
async function settleColors(): Promise<void> {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const ending = document.getAnimations().filter((one) => one.effect?.getComputedTiming().endTime !== Infinity);
  await Promise.allSettled(ending.map(({ finished }) => finished));
}

/**
 * The same in light and in dark colors: first in those that the page was opened with, then in the others, which it
 * stays in.
 */
export async function barriersInBothSchemes(
  page: Page,
  isLookedAt: (frame: Frame) => boolean = () => true,
): Promise<Record<string, string[]>> {
  const isDark = () => page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches);
  const found: Record<string, string[]> = {};
  for (const isChanged of [false, true]) {
    if (isChanged) {
      await page.emulateMedia({ colorScheme: (await isDark()) ? 'light' : 'dark' });
      for (const frame of page.frames().filter(isLookedAt)) await frame.evaluate(settleColors);
    }
    found[(await isDark()) ? 'dark' : 'light'] = await barriers(page, isLookedAt);
  }
  return found;
}

/** Of `barriersInBothSchemes`, where there are none. */
export const NO_BARRIERS = { dark: [], light: [] };
