import type { FrameLocator } from 'playwright-core';
import type { Customer } from './customer.ts';

/** The story as a presenter drives it: the merchant's page is in a frame, and Link in a frame of that. */
export interface StoryPage {
  shop: FrameLocator;
  link: FrameLocator;
  /** The lines of the panel, from the top. */
  lines(): Promise<string[]>;
  seesLine(text: string | RegExp): Promise<void>;
  connects(account?: string): Promise<void>;
  pays(): Promise<void>;
  presses(button: string): Promise<void>;
  chooses(scenario: string): Promise<void>;
}

export async function visitsStory({ page }: Customer, url: string, path = '/'): Promise<StoryPage> {
  await page.goto(url + path);
  const shop = page.frameLocator('#shop');
  const link = shop.frameLocator('iframe[title^="Plaid Link"]:visible');
  const ready = () => shop.locator('finix-bank-connect[status="ready"]').waitFor();
  await ready();
  return {
    shop,
    link,
    lines: () => page.locator('.step .words').allInnerTexts(),
    seesLine: (text) => page.locator('.step', { hasText: text }).first().waitFor(),
    async connects(account = 'Checking') {
      await shop.locator('finix-bank-connect button.main').click();
      await link.getByRole('button', { name: 'Continue' }).click();
      await link.getByRole('button', { name: 'First Platypus Bank' }).click();
      await link.getByRole('button', { name: 'Sign in' }).click();
      await link.getByRole('radio', { name: account }).check();
      await link.getByRole('button', { name: 'Continue' }).click();
      await link.getByRole('button', { name: 'Finish' }).click();
      await shop.locator('finix-bank-connect[status="connected"]').waitFor();
    },
    async pays() {
      await shop.locator('.place').click();
      await shop.locator('.outcome').waitFor();
    },
    presses: (button) => page.getByRole('button', { name: button }).click(),
    async chooses(scenario) {
      const fresh = page.waitForResponse(/\/(coffee|rent|payout)$/);
      await page.getByRole('combobox', { name: 'Scenario' }).selectOption({ label: scenario });
      await fresh;
      await ready();
    },
  };
}
