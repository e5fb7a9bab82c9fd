import { mkdir } from 'node:fs/promises';
import type { Browser, BrowserContext, FrameLocator, Locator, Page } from 'playwright-core';
import { afterEach, beforeEach } from 'vitest';
import { type RunningDemo, startDemo } from '../../demo/start-demo.ts';
import type { ElementStatus } from '../../widget/flow/state.ts';
import { sharedChromium } from '../helpers/launch-chromium.ts';
import { patient } from '../helpers/patience.mjs';
import { connectServerHere } from './connect-server-here.ts';

/** A customer's whole patience: longer than the slowest scenario, shorter than a test. */
const PATIENCE_MS = patient(20_000);

/**
 * Drawing what fades, slides and turns takes a third of a journey's processor time. Journeys that are about motion, or
 * about the pace of the story, ask for it.
 */
const CALM = { reducedMotion: 'reduce' } as const;

/** A person at the demo, with a browser of their own. */
export class Customer {
  /** What a page must not have: errors on the console, uncaught ones included. */
  readonly complaints: string[] = [];

  constructor(
    readonly page: Page,
    private readonly url: string,
  ) {
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(`${message.text()} (${message.location().url})`);
    });
  }

  get element(): Locator {
    return this.page.locator('finix-bank-connect').first();
  }

  /** Link's dialog, whichever of the page's handlers has it open. */
  get link(): FrameLocator {
    return this.page.frameLocator('iframe[title^="Plaid Link"]:visible');
  }

  /** The page of the first merchant when left out. */
  async visit(path = '/coffee'): Promise<void> {
    await this.page.goto(this.url + path);
    await this.sees('ready');
  }

  async sees(...statuses: ElementStatus[]): Promise<void> {
    const selector = statuses.map((status) => `finix-bank-connect[status="${status}"]`).join(',');
    await this.page.locator(selector).first().waitFor({ state: 'attached' });
  }

  async opensLink(): Promise<void> {
    // A tab behind another one draws once a second, and a person would not click there anyway.
    await this.page.bringToFront();
    await this.element.locator('button.main').click();
    await this.link.getByRole('heading').first().waitFor();
  }

  async agrees(): Promise<void> {
    await this.link.getByRole('button', { name: 'Continue' }).click();
    await this.link.getByRole('searchbox').waitFor();
  }

  async choosesBank(bank = 'First Platypus Bank'): Promise<void> {
    await this.agrees();
    await this.findsBank(bank);
  }

  async findsBank(bank = 'First Platypus Bank'): Promise<void> {
    await this.link.getByRole('searchbox').fill(bank);
    await this.link.getByRole('button', { name: bank }).click();
  }

  async signsIn(username = 'user_good'): Promise<void> {
    await this.link.getByLabel('User name', { exact: true }).fill(username);
    await this.link.getByLabel('Password').fill('pass_good');
    await this.link.getByRole('button', { name: 'Sign in' }).click();
  }

  async choosesAccount(account = 'Checking'): Promise<void> {
    await this.link.getByRole('radio', { name: account }).check();
    await this.link.getByRole('button', { name: 'Continue' }).click();
    await this.link.getByRole('button', { name: 'Finish' }).waitFor();
  }

  async finishesLink(): Promise<void> {
    await this.link.getByRole('button', { name: 'Finish' }).click();
  }

  /** All of Link, from the button to its end. */
  async connects(username?: string, bank?: string): Promise<void> {
    await this.opensLink();
    await this.choosesBank(bank);
    await this.signsIn(username);
    await this.choosesAccount();
    await this.finishesLink();
  }

  /** Closes Link wherever it is, confirming where it asks. */
  async leavesLink(): Promise<void> {
    await this.link.getByRole('button', { name: 'Close' }).first().click();
    const leave = this.link.locator('#leave');
    if (await leave.isVisible()) await leave.click();
  }

  async placesOrder(): Promise<void> {
    await this.page.getByRole('button', { name: /^Place order/ }).click();
  }
}

export interface Journey {
  demo: RunningDemo;
  simulator: NonNullable<RunningDemo['simulator']>['simulator'];
  /** Another person, whose system asks for reduced motion when the options do not. */
  arrives(options?: Parameters<Browser['newContext']>[0]): Promise<Customer>;
  /** The same person with another tab. */
  opensTab(customer: Customer): Promise<Customer>;
}

/**
 * A demo and a browser context of its own for each test; screenshots of the open pages when a test fails.
 * @param options by default with a connect server in this process, which starts in a tenth of the time
 */
export function journey(options: Parameters<typeof startDemo>[0] = {}): Journey {
  const now = {} as Journey;
  let contexts: BrowserContext[] = [];

  beforeEach(async () => {
    const demo = await startDemo({ runConnectServer: connectServerHere, ...options });
    if (!demo.simulator) throw new Error('Without credentials the demo uses the simulator.');
    now.demo = demo;
    now.simulator = demo.simulator.simulator;
    now.arrives = async (options) => {
      const browser = await sharedChromium();
      const context = await browser.newContext({ ...CALM, ...options });
      contexts.push(context);
      return new Customer(await context.newPage(), demo.url);
    };
    now.opensTab = async (customer) => new Customer(await customer.page.context().newPage(), demo.url);
  });

  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await takePictures(task.name, contexts);
    await Promise.all(contexts.map((context) => context.close()));
    contexts = [];
    await now.demo?.close();
  });
  return now;
}

async function takePictures(test: string, contexts: BrowserContext[]): Promise<void> {
  await mkdir('test-results', { recursive: true });
  const name = test.replace(/[^a-z0-9]+/gi, '-').slice(0, 80);
  const pages = contexts.flatMap((context) => context.pages());
  for (const [index, page] of pages.entries()) {
    // A page that hangs must not hide why its test failed.
    await page.screenshot({ path: `test-results/${name}-${index}.png`, timeout: 5_000 }).catch(() => {});
  }
}
