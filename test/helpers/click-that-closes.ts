import type { Locator, Page } from 'playwright-core';

/**
 * A click by which its window closes: the window may be gone before the browser tool has reported the click as done.
 */
export async function clickThatCloses(window: Page, button: Locator): Promise<void> {
  const closed = window.waitForEvent('close');
  await button.click().catch(() => {});
  await closed;
}
