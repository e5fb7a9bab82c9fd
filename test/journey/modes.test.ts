import type { FrameLocator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { clickThatCloses } from '../helpers/click-that-closes.ts';
import { type Customer, journey } from './customer.ts';

const WEBVIEW = 'Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 Chrome/147.0 Mobile Safari/537.36';
const PAGE = '/pages/script-tag.html';

/** Everything in Link from its first pane to the end, where the dialog is a page or a frame. */
async function walk(link: Page | FrameLocator, username = 'user_one_account', bank = 'Tartan Bank'): Promise<void> {
  await link.getByRole('button', { name: 'Continue' }).click();
  const search = link.getByRole('searchbox');
  const password = link.getByLabel('Password');
  await search.or(password).first().waitFor();
  if (await search.isVisible()) await link.getByRole('button', { name: bank }).click();
  await link.getByLabel('User name', { exact: true }).fill(username);
  await password.fill('pass_good');
  await link.getByRole('button', { name: 'Sign in' }).click();
  await link.getByRole('radio').first().check();
  await link.getByRole('button', { name: 'Continue' }).click();
  await link.getByRole('button', { name: 'Finish' }).click();
}

/**
 * The page closes Link's window as soon as it knows of the bank, and Link closes it at its end: either may come before
 * the last click is reported as done.
 */
async function walkInWindow(link: Page): Promise<void> {
  await walk(link).catch((error: unknown) => {
    if (!link.isClosed()) throw error;
  });
}

describe('In a webview', () => {
  const here = journey();

  async function signsInAtTheBank(maya: Customer, button = 'Sign in and share'): Promise<void> {
    await maya.opensLink();
    await maya.choosesBank('Platypus OAuth Bank');
    await maya.link.getByRole('button', { name: 'Continue' }).click();
    await maya.page.waitForURL(/\/link\/oauth\//);
    await maya.page.getByRole('button', { name: button }).click();
  }

  test('in a webview a bank’s own page replaces the checkout, and the customer comes back to where they were', async () => {
    const maya = await here.arrives({ userAgent: WEBVIEW });
    await maya.visit();
    await maya.page.evaluate('scrollTo(0, 120)');
    const left = await maya.page.evaluate('scrollY');
    await signsInAtTheBank(maya);
    await maya.link.getByRole('heading', { name: 'Which account?' }).waitFor();
    await expect.poll(() => maya.element.getAttribute('status')).toBe('open');
    expect(maya.page.url()).toBe(`${here.demo.url}/coffee`);
    await maya.choosesAccount();
    await maya.finishesLink();
    await maya.sees('connected');
    await expect.poll(() => maya.page.evaluate('scrollY')).toBe(left);
    await expect
      .poll(() => maya.page.evaluate('JSON.stringify(sessionStorage)'))
      .not.toMatch(/link-sandbox|public-sandbox/);
    await maya.placesOrder();
    await maya.page.getByText('Platypus OAuth Bank ••0000').first().waitFor();
    expect(here.simulator.ledger.instruments()).toHaveLength(1);
    expect(
      here.simulator.ledger.linkTokens().filter(({ sessions }) => sessions.some(({ oauth }) => oauth)),
    ).toHaveLength(1);
    expect(maya.complaints).toEqual([]);
  });

  test('in a webview a refresh and a second return start again, and nothing is done twice', async () => {
    const maya = await here.arrives({ userAgent: WEBVIEW });
    await maya.visit();
    const returns: string[] = [];
    maya.page.on('framenavigated', (frame) => {
      if (frame.url().includes('oauth_state_id=')) returns.push(frame.url());
    });
    await signsInAtTheBank(maya);
    await maya.link.getByRole('heading', { name: 'Which account?' }).waitFor();
    await maya.page.reload();
    await maya.sees('ready');
    await maya.page.goto(returns[0] ?? '');
    await maya.sees('ready');
    expect(maya.page.url()).toBe(`${here.demo.url}/coffee`);
    await maya.connects();
    await maya.sees('connected');
    expect(here.simulator.ledger.instruments()).toHaveLength(1);
  });

  test('in a webview declining at the bank is shown in Link, and another bank works', async () => {
    const maya = await here.arrives({ userAgent: WEBVIEW });
    await maya.visit();
    await signsInAtTheBank(maya, 'Cancel');
    await maya.link.getByText('INSUFFICIENT_CREDENTIALS', { exact: true }).waitFor();
    await maya.link.getByRole('button', { name: 'Choose another bank' }).click();
    await maya.link.getByRole('button', { name: 'Tartan Bank' }).click();
    await maya.signsIn();
    await maya.choosesAccount();
    await maya.finishesLink();
    await maya.sees('connected');
  });

  test('in a webview the same session goes on in public mode, too', async () => {
    const maya = await here.arrives({ userAgent: WEBVIEW });
    await maya.visit(PAGE);
    await signsInAtTheBank(maya);
    await maya.link.getByRole('heading', { name: 'Which account?' }).waitFor();
    await maya.choosesAccount();
    await maya.finishesLink();
    await maya.sees('connected');
    expect(here.simulator.ledger.instruments()).toHaveLength(1);
  });
});

describe('In a webview without an address for banks to come back to', () => {
  const here = journey({
    adjust: ({ plaid }) => {
      plaid.redirectUri = undefined;
    },
  });

  test('without an address to come back to, Link runs on Plaid’s own page, and the checkout sees the customer return', async () => {
    const maya = await here.arrives({ userAgent: WEBVIEW });
    await maya.visit();
    await maya.element.locator('button.main').click();
    await maya.page.waitForURL(/\/link\/hosted\//);
    await maya.page.getByRole('button', { name: 'Continue' }).click();
    await maya.page.getByRole('button', { name: 'Platypus OAuth Bank' }).click();
    await maya.page.getByRole('button', { name: 'Continue' }).click();
    await maya.page.waitForURL(/\/link\/oauth\//);
    await maya.page.getByRole('button', { name: 'Sign in and share' }).click();
    await maya.page.getByRole('radio', { name: 'Checking' }).check();
    await maya.page.getByRole('button', { name: 'Continue' }).click();
    await maya.page.getByRole('button', { name: 'Finish' }).click();
    await maya.page.waitForURL(`${here.demo.url}/coffee`);
    await maya.sees('connected');
    await maya.placesOrder();
    await maya.page.getByText('Platypus OAuth Bank ••0000').first().waitFor();
    expect(maya.complaints).toEqual([]);
  });
});

describe('The ways to show Link', () => {
  const here = journey();
  const tiles = (maya: Customer) => maya.page.frameLocator('iframe[title*="institution search"]');

  test('button: a bank with a sign-in of its own opens a window for it, and the page stays', async () => {
    const maya = await here.arrives();
    await maya.visit();
    await maya.opensLink();
    await maya.choosesBank('Platypus OAuth Bank');
    const opening = maya.page.waitForEvent('popup');
    await maya.link.getByRole('button', { name: 'Continue' }).click();
    const bank = await opening;
    await clickThatCloses(bank, bank.getByRole('button', { name: 'Sign in and share' }));
    await maya.choosesAccount();
    await maya.finishesLink();
    await maya.sees('connected');
    await maya.element.getByText('Platypus OAuth Bank').first().waitFor();
    expect(maya.complaints).toEqual([]);
  });

  test('embedded: the customer finds the bank in the page, and Link opens there', async () => {
    const maya = await here.arrives();
    await maya.visit('/pages/embedded.html');
    await expect.poll(() => maya.element.locator('button.main').count()).toBe(0);
    await tiles(maya).getByRole('searchbox').fill('tartan');
    await tiles(maya).getByRole('button', { name: 'Tartan Bank' }).click();
    await maya.sees('open');
    const dialog = maya.page.frameLocator('iframe[title="Plaid Link (simulator)"]');
    await walk(dialog);
    await maya.sees('connected');
    await expect.poll(() => tiles(maya).owner().count()).toBe(0);
    expect(maya.complaints).toEqual([]);
  });

  test('embedded: leaving Link keeps the search, for another bank', async () => {
    const maya = await here.arrives();
    await maya.visit('/pages/embedded.html');
    await tiles(maya).getByRole('button', { name: 'Tartan Bank' }).click();
    await maya.sees('open');
    await maya.page
      .frameLocator('iframe[title="Plaid Link (simulator)"]')
      .getByRole('button', { name: 'Close' })
      .click();
    await maya.sees('ready');
    await tiles(maya).getByRole('button', { name: 'Houndstooth Bank' }).click();
    await walk(maya.page.frameLocator('iframe[title="Plaid Link (simulator)"]'));
    await maya.sees('connected');
    await maya.element.getByText('Houndstooth Bank').first().waitFor();
  });

  test('embedded: a frame of another page gets a button', async () => {
    const maya = await here.arrives();
    await maya.visit('/pages/embedded.html');
    await maya.page.setContent(`<iframe src="${here.demo.url}/pages/embedded.html" width="600" height="600"></iframe>`);
    const inner = maya.page.frameLocator('iframe');
    await inner.locator('finix-bank-connect[status="ready"] button.main').waitFor();
  });

  test('hosted: Link runs in a window of its own, which closes, and the page goes on', async () => {
    const maya = await here.arrives();
    await maya.visit('/pages/hosted.html');
    const opening = maya.page.waitForEvent('popup');
    await maya.element.locator('button.main').click();
    const hosted = await opening;
    await maya.sees('open');
    await walkInWindow(hosted);
    await maya.sees('connected');
    await expect.poll(() => hosted.isClosed()).toBe(true);
    expect(here.simulator.ledger.instruments()).toHaveLength(1);
  });

  test('hosted: closing the window cancels', async () => {
    const maya = await here.arrives();
    await maya.visit('/pages/hosted.html');
    const opening = maya.page.waitForEvent('popup');
    await maya.element.locator('button.main').click();
    await (await opening).getByRole('button', { name: 'Continue' }).waitFor();
    await (await opening).close();
    await maya.sees('ready');
    await maya.element.getByText('No bank account was connected').first().waitFor();
  });

  test('hosted: a customer who closes the page in between still has the bank', async () => {
    const maya = await here.arrives();
    await maya.visit('/pages/hosted.html');
    const opening = maya.page.waitForEvent('popup');
    await maya.element.locator('button.main').click();
    const hosted = await opening;
    await hosted.getByRole('button', { name: 'Continue' }).waitFor();
    await maya.page.goto('about:blank');
    await walkInWindow(hosted);
    await maya.page.goto(`${here.demo.url}/pages/hosted.html`);
    await maya.sees('connected');
    expect(here.simulator.ledger.instruments()).toHaveLength(1);
  });

  test('where Plaid’s script is blocked, Link still runs in a window of its own', async () => {
    const maya = await here.arrives();
    await maya.page.route('**/link-initialize.js', (route) => route.abort());
    await maya.page.goto(`${here.demo.url}/coffee`);
    await maya.sees('blocked');
    const opening = maya.page.waitForEvent('popup');
    await maya.element.getByRole('button', { name: 'Continue in a new window' }).click();
    const hosted = await opening;
    await walkInWindow(hosted);
    await maya.sees('connected');
    await maya.placesOrder();
    await maya.page.getByRole('heading', { name: 'Thank you' }).waitFor();
  });
});
