import { expect, fixture } from '@open-wc/testing';
import { cleanUp, connect, mount, part, reach } from '../helpers/element.ts';

/** What merchants put around a form control. `@` is where the element goes. */
const PLACEMENTS: Record<string, string> = {
  block: '<div>@</div>',
  'a flex row next to a text': '<div style="display:flex;gap:12px"><span>Bank</span>@</div>',
  'a flex row, centered, next to a text':
    '<div style="display:flex;align-items:center;gap:12px"><span>Bank</span>@</div>',
  'a flex row, alone': '<div style="display:flex">@</div>',
  'a flex row that centers': '<div style="display:flex;justify-content:center">@</div>',
  'a flex row, growing': '<div style="display:flex"><finix-bank-connect style="flex:1"></finix-bank-connect></div>',
  'a flex column': '<div style="display:flex;flex-direction:column">@</div>',
  'a flex column, at the start': '<div style="display:flex;flex-direction:column;align-items:flex-start">@</div>',
  'a flex column, centered': '<div style="display:flex;flex-direction:column;align-items:center">@</div>',
  grid: '<div style="display:grid">@</div>',
  'a grid, at the start': '<div style="display:grid;justify-items:start">@</div>',
  'a grid, centered': '<div style="display:grid;place-items:center">@</div>',
  'a grid column of its content next to a text':
    '<div style="display:grid;grid-template-columns:auto 1fr">@<span>Bank</span></div>',
  'inline-block': '<div><div style="display:inline-block">@</div></div>',
  'inline-block itself': '<div><finix-bank-connect style="display:inline-block"></finix-bank-connect></div>',
  'fit-content': '<div style="width:fit-content">@</div>',
  'max-content, within limits': '<div style="width:max-content;max-width:100%">@</div>',
  float: '<div style="float:left">@</div>',
  'float itself': '<div style="display:flow-root"><finix-bank-connect style="float:left"></finix-bank-connect></div>',
  absolute: '<div style="position:relative;height:200px"><div style="position:absolute">@</div></div>',
  'a table cell': '<table><tbody><tr><td>Bank</td><td>@</td></tr></tbody></table>',
  'display: table-cell': '<div style="display:table"><div style="display:table-cell">@</div></div>',
  'a dialog as wide as its content':
    '<dialog open style="position:static;margin:0;padding:8px;border:0;width:fit-content">@</dialog>',
  'inline-flex': '<div><div style="display:inline-flex">@</div></div>',
  'an inline element': '<p style="margin:0"><span>@</span></p>',
  fieldset: '<fieldset style="margin:0;padding:0;border:0">@</fieldset>',
  'a column of a multi-column text': '<div style="columns:1">@</div>',
};
const WIDTHS = [600, 240];
// The narrowest in which a button with our words can be read: next to a text, in a parent of 240 px.
const USABLE = 150;

/** By how much what is in the element is wider than it is. */
function overflow(element: HTMLElement): number {
  const right = element.getBoundingClientRect().right;
  const all = [...(element.shadowRoot?.querySelectorAll<HTMLElement>('.main, .card, .note, .account *') ?? [])];
  return Math.max(0, ...all.map((one) => one.getBoundingClientRect().right - right));
}

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
      it(`is usable and inside its parent of ${width} px: ${name}`, async () => {
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

  it('is what the parent gives where it stretches its children, up to 640 px', async () => {
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

  it('is 352 px where the parent asks for it, in every state and language', async () => {
    const { element } = await place(PLACEMENTS['inline-block'] as string, 600);
    for (const lang of ['en', 'de', 'ar', 'zh']) {
      element.lang = lang;
      await element.updateComplete;
      expect(element.getBoundingClientRect().width).to.equal(352);
    }
  });

  it('can be set by the page, also to more than 640 px', async () => {
    const sheet = await fixture<HTMLStyleElement>(document.createElement('style'));
    sheet.textContent = 'finix-bank-connect { max-inline-size: none }';
    const { element } = await place('<div>@</div>', 900);
    expect(element.getBoundingClientRect().width).to.equal(900);
    element.style.width = '300px';
    expect(element.getBoundingClientRect().width).to.equal(300);
  });
});
