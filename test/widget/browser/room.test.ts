import { expect, nextFrame } from '@open-wc/testing';
import { fill, loadStrings } from '../../../widget/i18n/index.ts';
import { LANGUAGES } from '../../../widget/i18n/languages.ts';
import type { FinixBankConnect } from '../../../widget/index.ts';
import { cleanUp, connect, mount, part, press, reach } from '../helpers/element.ts';
import { showState } from '../helpers/show-state.ts';
import { type State, states } from '../helpers/states.ts';

const NOTES = /^(legal|slow|very_slow|pending|needs_repair|removed|canceled|expired|return_elsewhere|finish_window)$/;
const ERRORS = /^(required|error_.*)$/;
const CAPTIONS =
  /^(connect|opening|retry|link_open|returning|connecting|one_more|restart|other_bank|other_account|reconnect)$/;

/** What follows the element on the page, watched for every frame. */
class Neighbor {
  readonly places = new Set<number>();
  shifts = 0;
  #going = true;
  readonly #text = document.createElement('p');
  #observer: PerformanceObserver | undefined;

  constructor(element: Element) {
    this.#text.textContent = 'Total: $40.00';
    element.after(this.#text);
  }

  start(): void {
    const look = () => {
      if (!this.#going) return;
      this.places.add(Math.round(this.#text.getBoundingClientRect().top));
      requestAnimationFrame(look);
    };
    look();
    if (!PerformanceObserver.supportedEntryTypes.includes('layout-shift')) return;
    this.#observer = new PerformanceObserver((list) => this.#count(list.getEntries()));
    this.#observer.observe({ type: 'layout-shift' });
  }

  /** After two frames, since shifts are told of when the next one is drawn. */
  async stop(): Promise<void> {
    await nextFrame();
    await nextFrame();
    this.#going = false;
    this.#count(this.#observer?.takeRecords() ?? []);
    this.#observer?.disconnect();
  }

  #count(entries: PerformanceEntryList): void {
    for (const entry of entries) this.shifts += (entry as PerformanceEntry & { value: number }).value;
  }
}

describe('the room of the element', () => {
  const box = document.createElement('section');
  beforeEach(() => document.body.append(box));
  afterEach(async () => {
    box.replaceChildren();
    box.removeAttribute('style');
    box.dir = '';
    box.remove();
    await cleanUp();
  });

  for (const width of [240, 360, 640]) {
    it(`does not change from the first frame to any state, ${width} px wide`, async function () {
      // All states, each with a few frames to look at.
      this.timeout(60_000);
      box.style.inlineSize = `${width}px`;
      const moved: string[] = [];
      const rooms = new Map<string, number>();
      for (const [name, state] of Object.entries(states)) {
        if (state.isTaller) continue;
        const watching: State = {
          ...state,
          // What the page gives for the case that the bank can't be used is part of the picture from the beginning.
          inside: '<a slot="fallback" href="#card" style="display: block">Pay by card</a>',
        };
        const showing = showState(box, name, watching);
        const element = box.lastElementChild as FinixBankConnect;
        await element.updateComplete;
        await nextFrame();
        const neighbor = new Neighbor(element);
        await nextFrame();
        neighbor.start();
        await showing;
        await neighbor.stop();
        if (neighbor.places.size > 1 || neighbor.shifts)
          moved.push(`${name}: ${[...neighbor.places]}, ${neighbor.shifts}`);
        if (!name.startsWith('embedded')) rooms.set(name, Math.round(element.getBoundingClientRect().height));
        box.replaceChildren();
        await cleanUp();
      }
      expect(moved).to.deep.equal([]);
      expect([...new Set(rooms.values())].length, JSON.stringify([...rooms])).to.equal(1);
    });

    it(`is enough for every text of every language, ${width} px wide`, async function () {
      this.timeout(60_000);
      box.style.inlineSize = `${width}px`;
      const { element } = await mount({ required: true }, undefined, box);
      await reach(element, 'ready');
      const room = element.getBoundingClientRect().height;
      const tooLong: string[] = [];
      // Each text in the place where it is shown: the last kind is shown once the form was sent without a bank.
      for (const [place, keys] of [
        ['legal', NOTES],
        ['connect', CAPTIONS],
        ['required', ERRORS],
      ] as const) {
        if (place === 'required') element.reportValidity();
        for (const language of LANGUAGES) {
          box.dir = language === 'ar' ? 'rtl' : 'ltr';
          for (const [key, text] of Object.entries(await loadStrings(language))) {
            if (!keys.test(key)) continue;
            const filled = fill(text, { bank: 'Chase ••1234', merchant: 'Northwind Traders' });
            element.strings = { [place]: filled };
            await element.updateComplete;
            expect(element.shadowRoot?.textContent).to.contain(filled);
            if (element.getBoundingClientRect().height !== room) tooLong.push(`${language} ${key}`);
            const label = part(element, 'label');
            // By more than what letters reach out of their lines.
            if (label.scrollHeight > label.getBoundingClientRect().height + 8)
              tooLong.push(`${language} ${key} is cut`);
          }
        }
      }
      expect(tooLong).to.deep.equal([]);
    });
  }

  it('is as large as what the page puts in place of our sentence, in every state', async () => {
    box.style.inlineSize = '360px';
    const mounted = await mount({}, undefined, box);
    const { element, link } = mounted;
    element.innerHTML = `<span slot="legal">${'What this shop has to say about debits. '.repeat(9)}</span>`;
    await reach(element, 'ready');
    const room = element.getBoundingClientRect().height;
    expect(room).to.be.greaterThan(150);
    press(element);
    link.exit('INSTITUTION_DOWN', null, 'INSTITUTION_ERROR');
    await reach(element, 'error');
    expect(element.getBoundingClientRect().height).to.equal(room);
    element.reset();
    await connect(mounted);
    expect(element.getBoundingClientRect().height).to.equal(room);
  });

  it('is the same before and after the embedded search has come, also where it gives way to a button', async () => {
    for (const width of [280, 420]) {
      box.style.inlineSize = `${width}px`;
      const { element } = await mount({ mode: 'embedded' }, undefined, box);
      const before = element.getBoundingClientRect().height;
      await reach(element, 'ready');
      expect(element.getBoundingClientRect().height).to.equal(before);
      element.remove();
    }
  });
});
