import { html, render, type TemplateResult } from 'lit';
import type { MerchantKey, Mode, Step, StoryState } from '../step.ts';
import { duration, exchangeSheet } from './exchange.ts';
import { laterBar, type Presenting } from './later.ts';
import { asked, hasCauses, type Shown, shownLines } from './order.ts';
import { Picture } from './picture.ts';
import { scenarioPicker } from './scenario.ts';
import { CHAPTERS, type Line, lineOf, type Names } from './words.ts';

/** Steps come in bursts of ten in 50 ms; one after another an eye can follow them. A long queue goes faster. */
const PACE_MS = 220;
const LONG_QUEUE = 10;
/** How near the end a reader must be for new lines to be brought into view. */
const FOLLOW_PX = 120;

/** Of the picture, on both sides; see picture.css. */
const PICTURE_PADDING = 36;
/** What the picture is drawn for while the panel is folded. */
const LEAST_PX = 280;

/**
 * Everything behind the page of the chosen merchant: the way it goes, the picture, the steps, and what can happen
 * later.
 */
export class Panel {
  readonly #picture = new Picture();
  readonly #steps = new Map<number, Step>();
  readonly #queue: { id: number; status: Step['status'] }[] = [];
  readonly #revealed = new Map<number, Step>();
  readonly #states = new Map<MerchantKey, StoryState>();
  #merchant: MerchantKey = 'coffee';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #newest = 0;
  #isFollowing = true;
  #seenTop = 0;
  #problem = '';
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)');

  constructor(
    private readonly names: (merchant: MerchantKey) => Names,
    private readonly presenting: Presenting,
    private readonly mode: Mode,
  ) {}

  /** Draws again: the panel has another size now, and a log that was folded is at its beginning. */
  resized(): void {
    this.#draw();
  }

  /** A reader who goes back stays there; one who comes to the end again sees what is new. */
  scrolled(): void {
    const { scrollHeight, scrollTop, clientHeight } = byId('log');
    if (clientHeight === 0) return;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < FOLLOW_PX;
    // What is added moves the end away, and the reader not at all.
    if (isAtEnd || scrollTop < this.#seenTop) this.#isFollowing = isAtEnd;
    this.#seenTop = scrollTop;
  }

  get state(): StoryState | undefined {
    return this.#states.get(this.#merchant);
  }

  choose(merchant: MerchantKey): void {
    this.#merchant = merchant;
    this.#problem = '';
    this.#isFollowing = true;
    this.#draw();
  }

  /** A new step, or one that has its answer now. Also the same again, after the stream was interrupted. */
  add(step: Step, isReplay: boolean): void {
    const known = this.#steps.get(step.id);
    if (known && known.status === step.status) return;
    this.#steps.set(step.id, step);
    if (isReplay || this.#calm.matches) {
      this.#revealed.set(step.id, step);
      if (!isReplay && step.merchant === this.#merchant) this.#light(step);
      this.#draw();
      return;
    }
    if (step.merchant !== this.#merchant) {
      this.#revealed.set(step.id, step);
      return;
    }
    this.#queue.push({ id: step.id, status: step.status });
    if (this.#timer === undefined) this.#reveal();
  }

  update(state: StoryState): void {
    this.#states.set(state.merchant, state);
    this.#draw();
  }

  say(problem: string): void {
    this.#problem = problem;
    this.#draw();
  }

  /**
   * Shows the next step of the queue. An answer that came before its question was shown is shown with it, unless others
   * come between the two.
   */
  #reveal(): void {
    const next = this.#queue.shift();
    const step = next && this.#steps.get(next.id);
    if (!step) {
      this.#timer = undefined;
      this.#draw();
      return;
    }
    const isNew = !this.#revealed.has(step.id);
    const isChanged = isNew || this.#revealed.get(step.id)?.status !== step.status;
    const isSplit = isChanged && hasCauses(step, this.#steps.values());
    if (isChanged) {
      this.#revealed.set(step.id, isNew && isSplit && next.status === undefined ? asked(step) : step);
      if (isNew || isSplit) this.#newest = step.id;
      this.#light(step);
      this.#draw();
    }
    const pace = this.#queue.length > LONG_QUEUE ? PACE_MS / 3 : PACE_MS;
    this.#timer = setTimeout(() => this.#reveal(), isNew || isSplit ? pace : 0);
  }

  #light(step: Step): void {
    this.#picture.show(step, lineOf(step, this.names(step.merchant))?.failed === true);
    // What is lit goes out.
    setTimeout(() => this.#draw(), 1_200);
  }

  #shown(): Shown[] {
    const ofMerchant = [...this.#revealed.values()].filter(({ merchant }) => merchant === this.#merchant);
    return shownLines(ofMerchant, this.names(this.#merchant));
  }

  #draw(): void {
    const shown = this.#shown();
    const log = byId('log');
    const picture = byId('picture');
    render(this.#picture.draw(Math.max(picture.clientWidth - PICTURE_PADDING, LEAST_PX)), picture);
    const isSimulated = this.mode !== 'sandboxes';
    const hasServer = this.mode !== 'static';
    render(isSimulated ? scenarioPicker(this.state, this.presenting, hasServer) : html``, byId('scenario'));
    const hasBegun = shown.some(({ chapter }) => chapter !== CHAPTERS[0]);
    render(html`${this.#lines(shown)}${hasBegun ? '' : INTRODUCTION}`, log);
    render(isSimulated ? laterBar(this.state, this.presenting, this.#problem, hasServer) : html``, byId('later'));
    const last = shown.at(-1);
    render(last ? html`<b>${last.line.who}</b> ${last.line.text}` : html`Behind the page`, byId('latest'));
    if (this.#isFollowing) log.scrollTop = log.scrollHeight;
  }

  #lines(shown: Shown[]): TemplateResult[] {
    return shown.map(({ step, line, chapter, part }, index) => {
      const heading = shown[index - 1]?.chapter === chapter ? '' : html`<h3>${chapter}</h3>`;
      const tones = [
        'step',
        line.failed ? 'failed' : '',
        step.kind === 'process' && line.failed ? 'loud' : '',
        step.kind === 'call' && step.status === undefined ? 'waiting' : '',
        step.id === this.#newest && part !== 'question' ? 'fresh' : '',
      ].join(' ');
      const words = html`<span class="words"><span class="who">${line.who}</span> ${line.text}</span>
        <span class="took">${step.ms === undefined || step.to === 'shop' || part === 'question' ? '' : duration(step.ms)}</span>`;
      if (step.kind !== 'call') return html`${heading}<div class=${tones} data-actor=${line.actor}>${words}</div>`;
      return html`${heading}<button type="button" class=${tones} data-actor=${line.actor}
          @click=${() => this.#open(step, line)}>${words}</button>`;
    });
  }

  #open(step: Step, line: Line): void {
    const dialog = byId('exchange') as HTMLDialogElement;
    render(
      // With its answer, also where that is still to be shown.
      exchangeSheet(this.#steps.get(step.id) ?? step, line, () => dialog.close()),
      dialog,
    );
    dialog.showModal();
  }
}

/** What the page is about, for who has never seen it, until the customer begins. */
const INTRODUCTION = html`<div class="introduction">
  <p><strong>A bank account becomes a payment method.</strong> The customer signs in at the bank, in Plaid’s Link, and Finix gets an account to charge or to pay.</p>
  <p><strong>No password and no account number</strong> reaches the page or your server. Press a line to see its call, with the secrets masked.</p>
</div>`;

function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return found;
}
