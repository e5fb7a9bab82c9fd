import { expect, nextFrame } from '@open-wc/testing';
import { fill, loadStrings } from '../../../widget/i18n/index.ts';
import { LANGUAGES } from '../../../widget/i18n/languages.ts';
import type { FinixBankConnect } from '../../../widget/index.ts';
import { cleanUp, connect, mount, part, press, reach } from '../helpers/element.ts';
import { showState } from '../helpers/show-state.ts';
import { states } from '../helpers/states.ts';

const NOTES =
  /^(legal|slow|very_slow|pending|needs_repair|removed|canceled|not_changed|expired|return_elsewhere|finish_window)$/;
const ERRORS = /^(required|error_.*)$/;
const CAPTIONS =
  /^(connect|opening|retry|link_open|returning|connecting|one_more|restart|other_bank|other_account|reconnect|use_account)$/;

// A line under the control, in a browser's usual size, and what letters reach out of it.
const LINE = 18;
const ROUNDING = 2;

/** What follows the element on the page, watched for every frame. */
class Neighbor {
  readonly places = new Set<number>();
  #going = true;
  readonly #text = document.createElement('p');

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
  }

  async stop(): Promise<void> {
    await nextFrame();
    await nextFrame();
    this.#going = false;
  }
}

/** From the last thing that can be seen in the element down to its end. */
function hole(element: FinixBankConnect): number {
  const bottoms: number[] = [];
  const roots: Node[] = [element.shadowRoot as ShadowRoot, ...element.children];
  for (const root of roots) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      // A slot has no box of its own.
      const parent = node instanceof Element ? node : node.parentElement?.closest(':not(slot)');
      if (!parent?.checkVisibility({ visibilityProperty: true }) || parent.closest('.spoken, dialog')) continue;
      if (node instanceof Element && !node.matches('.main, .card, .search, .ended')) continue;
      const range = document.createRange();
      range.selectNode(node);
      const { bottom, height } = node instanceof Element ? node.getBoundingClientRect() : range.getBoundingClientRect();
      if (height) bottoms.push(bottom);
    }
  }
  return element.getBoundingClientRect().bottom - Math.max(...bottoms);
}

describe('the space of the element', () => {
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
    it(`does not change from the first frame to any usual state, and is no hole, ${width} px wide`, async function () {
      // All states, each with a few frames to look at.
      this.timeout(60_000);
      box.style.inlineSize = `${width}px`;
      const moved: string[] = [];
      const holes: string[] = [];
      const heights = new Set<number>();
      // In the narrowest, where a sentence has two to four lines, one may be missing or too many.
      const more = width < 300 ? LINE : 0;
      for (const [name, state] of Object.entries(states)) {
        const showing = showState(box, name, { ...state, inside: '' });
        const element = box.lastElementChild as FinixBankConnect;
        await element.updateComplete;
        const neighbor = new Neighbor(element);
        neighbor.start();
        await showing;
        await neighbor.stop();
        const isUsual = !state.isTaller && !state.isLast;
        const places = [...neighbor.places];
        if (isUsual && Math.max(...places) - Math.min(...places) > more) moved.push(`${name}: ${places}`);
        if (isUsual && !name.startsWith('embedded')) heights.add(Math.round(element.getBoundingClientRect().height));
        if (hole(element) > LINE + ROUNDING + more) holes.push(`${name}: ${hole(element)} px`);
        box.replaceChildren();
        await cleanUp();
      }
      expect(moved).to.deep.equal([]);
      expect(holes).to.deep.equal([]);
      expect(Math.max(...heights) - Math.min(...heights), [...heights].join()).to.be.at.most(more);
    });

    it(`is enough for every text, and a line short of the longest of other languages, ${width} px wide`, async function () {
      this.timeout(60_000);
      box.style.inlineSize = `${width}px`;
      const { element } = await mount({ required: true }, undefined, box);
      await reach(element, 'ready');
      const usual = element.getBoundingClientRect().height;
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
          const lines = (language === 'en' ? 0 : 1) + (width < 300 ? 1 : 0);
          for (const [key, text] of Object.entries(await loadStrings(language))) {
            if (!keys.test(key)) continue;
            const filled = fill(text, { bank: 'Chase ••1234', merchant: 'Northwind Traders' });
            element.strings = { [place]: filled };
            await element.updateComplete;
            expect(element.shadowRoot?.textContent).to.contain(filled);
            const more = element.getBoundingClientRect().height - usual;
            if (more > lines * LINE + ROUNDING) tooLong.push(`${language} ${key}: ${more} px`);
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

  it('is as large as what the page puts in place of our sentence, until a bank is connected', async () => {
    box.style.inlineSize = '360px';
    const mounted = await mount({}, undefined, box);
    const { element, link } = mounted;
    element.innerHTML = `<span slot="legal">${'The terms of this shop about debits. '.repeat(9)}</span>`;
    await reach(element, 'ready');
    const height = () => element.getBoundingClientRect().height;
    const before = height();
    expect(before).to.be.greaterThan(150);
    press(element);
    link.exit('INVALID_CREDENTIALS', null, 'ITEM_ERROR');
    await reach(element, 'error');
    expect(height()).to.equal(before);
    element.reset();
    await connect(mounted);
    expect(height()).to.be.lessThan(110);
    expect(hole(element)).to.be.at.most(LINE + ROUNDING);
  });

  it('holds nothing free for another way to pay before it is shown', async () => {
    box.style.inlineSize = '360px';
    const without = await mount({}, undefined, box);
    await reach(without.element, 'ready');
    const before = without.element.getBoundingClientRect().height;
    without.element.innerHTML = '<form slot="fallback" style="height: 200px">Pay by card</form>';
    await nextFrame();
    expect(without.element.getBoundingClientRect().height).to.equal(before);
    press(without.element);
    without.link.exit('INSTITUTION_DOWN', null, 'INSTITUTION_ERROR');
    await reach(without.element, 'error');
    expect(without.element.getBoundingClientRect().height).to.be.at.least(before + 200);
    expect(hole(without.element)).to.be.at.most(200);
  });

  it('is the same before and after the embedded search has come, also where it gives way to a button', async () => {
    for (const width of [280, 420]) {
      box.style.inlineSize = `${width}px`;
      const { element } = await mount({ mode: 'embedded' }, undefined, box);
      const before = element.getBoundingClientRect().height;
      await reach(element, 'ready');
      expect(element.getBoundingClientRect().height).to.equal(before);
      expect(hole(element)).to.be.at.most(LINE + ROUNDING);
      element.remove();
    }
  });
});
