import { expect, fixture } from '@open-wc/testing';
import { cleanUp, connect, mount, part, reach } from '../helpers/element.ts';
import { overflow, PLACEMENTS, USABLE, WIDTHS } from '../helpers/placements.ts';

describe('the width of the element', () => {
  const box = document.createElement('section');
  beforeEach(() => {
    document.documentElement.dir = '';
    document.body.append(box);
  });
  afterEach(async () => {
    box.replaceChildren();
    box.removeAttribute('style');
    box.remove();
    document.querySelector('style[data-test]')?.remove();
    await cleanUp();
  });

  async function place(html: string, width: number) {
    box.style.inlineSize = `${width}px`;
    box.innerHTML = html.replace('@', '<finix-bank-connect></finix-bank-connect>');
    const written = box.querySelector('finix-bank-connect') as HTMLElement;
    const mounted = await mount({}, undefined, document.createElement('div'));
    mounted.element.style.cssText = written.style.cssText;
    written.replaceWith(mounted.element);
    await reach(mounted.element, 'ready');
    return mounted;
  }

  for (const [name, html] of Object.entries(PLACEMENTS)) {
    for (const width of WIDTHS) {
      it(`the element is usable and inside its parent of ${width} px: ${name}`, async () => {
        const mounted = await place(html, width);
        const { element } = mounted;
        const own = () => element.getBoundingClientRect();
        const isRow = part(element, 'button').getBoundingClientRect();
        expect(own().width).to.be.at.least(USABLE);
        expect(own().right, 'reaches out of its parent').to.be.at.most(box.getBoundingClientRect().right + 0.5);
        expect(isRow.height, 'a button of more than two lines').to.be.at.most(64);
        expect(isRow.width).to.equal(own().width);
        expect(overflow(element)).to.be.at.most(0.5);
        const before = own().width;
        await connect(mounted);
        expect(own().width, 'differs once connected').to.equal(before);
        expect(overflow(element)).to.be.at.most(0.5);
      });
    }
  }

  it('the element is as wide as a parent that stretches its children, up to 640 px', async () => {
    for (const [width, expected] of [
      [240, 240],
      [500, 500],
      [1200, 640],
    ] as const) {
      for (const name of ['block', 'a flex row, growing', 'a flex column', 'grid']) {
        const { element } = await place(PLACEMENTS[name] as string, width);
        expect(element.getBoundingClientRect().width, `${name}, ${width}`).to.equal(expected);
        element.remove();
      }
    }
  });

  it('the element is 352 px wide where the parent asks it for a width, in every language', async () => {
    const { element } = await place(PLACEMENTS['inline-block'] as string, 600);
    for (const lang of ['en', 'de', 'ar', 'zh']) {
      element.lang = lang;
      await element.updateComplete;
      expect(element.getBoundingClientRect().width).to.equal(352);
    }
  });

  it('the page can set the width of the element, also to more than 640 px', async () => {
    const sheet = await fixture<HTMLStyleElement>(document.createElement('style'));
    sheet.textContent = 'finix-bank-connect { max-inline-size: none }';
    const { element } = await place('<div>@</div>', 900);
    expect(element.getBoundingClientRect().width).to.equal(900);
    element.style.width = '300px';
    expect(element.getBoundingClientRect().width).to.equal(300);
  });
});
