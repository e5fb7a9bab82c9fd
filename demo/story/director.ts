import type { Names } from '../panel/words.ts';
import { type Action, canReturn, type MerchantKey, type StoryState } from '../step.ts';
import { at } from './at.ts';

export interface Stage {
  frame: HTMLIFrameElement;
  act(action: Action): Promise<boolean>;
  state(): StoryState | undefined;
  names(): Names;
}

/** Reading time of a caption: 60 ms a character, which is slow reading, and at least this. */
const LEAST_MS = 2_600;
const CHARACTER_MS = 60;
/** Between two presses in Link: one look at each pane. */
const PRESS_MS = 1_700;
const LOOK_MS = 150;
/** The slowest scenario takes this long to an outcome. */
const PATIENCE_MS = 30_000;
const CHANNEL = 'bank-connect-simulator-link';

class Stopped extends Error {}

/** Plays the story from the first press to the last event, as a presenter would, at a speed that can be read. */
export class Director {
  #run = 0;
  #isPlaying = false;
  #isPaused = false;

  constructor(private readonly stage: Stage) {}

  /** Starts, pauses, or goes on. */
  toggle(): void {
    if (!this.#isPlaying) void this.#play();
    else this.#isPaused = !this.#isPaused;
    this.#show();
  }

  stop(): void {
    this.#run += 1;
    this.#isPlaying = false;
    this.#isPaused = false;
    this.#caption('');
    this.#show();
  }

  #show(): void {
    const button = document.getElementById('play');
    const isRunning = this.#isPlaying && !this.#isPaused;
    button?.setAttribute('aria-pressed', String(isRunning));
    const label = button?.querySelector('span');
    if (label) label.textContent = isRunning ? 'Pause' : this.#isPlaying ? 'Resume' : 'Play';
  }

  async #play(): Promise<void> {
    const run = ++this.#run;
    this.#isPlaying = true;
    this.#isPaused = false;
    try {
      await this.#story(run);
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    } finally {
      if (this.#run === run) this.stop();
    }
  }

  async #story(run: number): Promise<void> {
    const { customer, merchant } = this.stage.names();
    const say = (text: string) => this.#say(text, run);
    const isAtItsBeginning = this.#status() === 'ready' && this.stage.state()?.connection === null;
    if (!isAtItsBeginning) this.#page()?.location.replace(at(`/${this.#merchant()}?fresh`));
    await this.#until(() => this.#status() === 'ready', run);
    const isPayout = !canReturn(this.#merchant(), 'return_R01');
    const aim = isPayout ? `${customer} is paid by ${merchant}.` : `${customer} pays ${merchant}.`;
    await say(`${aim} No card, and no account number to type.`);
    this.#press(this.#element()?.shadowRoot?.querySelector('button.main'));
    await this.#until(() => this.#status() === 'open', run);
    this.#caption('Link opens. It belongs to Plaid: the merchant’s page sees no password.');
    await this.#pressThroughLink(run);
    await this.#until(() => /^(connected|pending_verification)$/.test(this.#status() ?? ''), run);
    await say('One account, checked and ready at Finix. The page has an id, and no account number.');
    this.#press(this.#page()?.document.querySelector('.place'));
    await this.#until(
      () => this.stage.state()?.order !== null && this.#page()?.document.querySelector('.outcome') !== null,
      run,
    );
    await say(
      'The merchant’s server fetched the connection, compared the customer, checked the payment, and moved the money.',
    );

    if (!isPayout) {
      await this.stage.act('return_R01');
      await this.#until(() => this.stage.state()?.order?.state === 'returned', run);
      await say(
        'Days later the bank returns the debit: insufficient funds. A webhook tells the merchant, and the page shows it.',
      );
    }
    await this.stage.act('break_login');
    await this.#until(
      () =>
        this.#page()?.document.querySelector(
          '[data-purpose="repair"][status="needs_repair"], [data-purpose="repair"][status="ready"]',
        ) !== null,
      run,
    );
    const meanwhile = isPayout ? 'sent' : 'debited';
    await say(
      `The bank asks for a new sign-in. The page asks the customer, and nothing is ${meanwhile} in the meantime.`,
    );
    this.#press(this.#element()?.shadowRoot?.querySelector('button.main'));
    await this.#until(() => this.#status() === 'open', run);
    await this.#pressThroughLink(run);
    await this.#until(() => this.stage.state()?.connection?.status === 'active', run);
    await say('Repaired in place. It is the same connection, and the same payment instrument.');
    await this.stage.act('revoke');
    await this.#until(() => this.stage.state()?.connection?.status === 'revoked', run);
    await say(`${customer} ends the permission at the bank. The instrument is disabled before anything else happens.`);
    await this.stage.act('debit_again');
    await this.#until(() => this.stage.state()?.order?.state === 'stopped', run);
    await say('The next payment is stopped before it starts. That is the whole story.');
  }

  async #pressThroughLink(run: number): Promise<void> {
    const limit = performance.now() + PATIENCE_MS;
    while (this.#status() === 'open' && performance.now() < limit) {
      await this.#pass(PRESS_MS, run);
      const frames = this.#page()?.document.querySelectorAll<HTMLIFrameElement>('iframe[title^="Plaid Link"]') ?? [];
      const open = [...frames].find(({ style }) => style.display !== 'none');
      // Of all that the simulator's Link takes from its host this is the only thing that presses a button.
      open?.contentWindow?.postMessage({ channel: CHANNEL, kind: 'advance', bank: 'First Platypus Bank' }, '*');
    }
  }

  #merchant(): MerchantKey {
    return this.stage.state()?.merchant ?? 'coffee';
  }

  #page(): Window | null {
    return this.stage.frame.contentWindow;
  }

  #element(): Element | null | undefined {
    return this.#page()?.document.querySelector('finix-bank-connect');
  }

  #status(): string | null | undefined {
    return this.#element()?.getAttribute('status');
  }

  #press(button: Element | null | undefined): void {
    // Of another window, so that `instanceof` would say no.
    (button as HTMLElement | null | undefined)?.click();
  }

  #caption(text: string): void {
    const caption = document.getElementById('caption');
    if (caption) caption.textContent = text;
  }

  async #say(text: string, run: number): Promise<void> {
    this.#caption(text);
    await this.#pass(Math.max(LEAST_MS, text.length * CHARACTER_MS), run);
    this.#caption('');
  }

  /** Time that stands still while the play is paused. */
  async #pass(ms: number, run: number): Promise<void> {
    for (let left = ms; left > 0; ) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      if (this.#run !== run) throw new Stopped();
      if (!this.#isPaused) left -= LOOK_MS;
    }
  }

  async #until(condition: () => boolean, run: number): Promise<void> {
    const limit = performance.now() + PATIENCE_MS;
    while (!condition()) {
      if (performance.now() > limit) throw new Stopped();
      await this.#pass(LOOK_MS, run);
    }
  }
}
