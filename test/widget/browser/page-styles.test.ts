import { expect } from '@open-wc/testing';
import { cleanUp, connect, linkNamed, mount, part, press, reach } from '../helpers/element.ts';

const MINIMUM = 4.5;

/** WCAG's contrast of two opaque colors. */
function contrast(one: string, other: string): number {
  const [high = 0, low = 0] = [one, other].map(luminance).sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map((value) => {
    const part = Number(value) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

describe('the styles of a page', () => {
  const sheet = document.createElement('style');
  const warnings: string[] = [];
  const { warn } = console;
  beforeEach(() => {
    document.head.append(sheet);
    warnings.length = 0;
    console.warn = (text: string) => void warnings.push(String(text));
  });
  afterEach(async () => {
    console.warn = warn;
    sheet.remove();
    sheet.textContent = '';
    await cleanUp();
  });

  it('leave every text readable where they are dark and declare nothing, with one hint for all elements', async () => {
    sheet.textContent = 'body { background: #0b0b12; color: #fff }';
    const background = 'rgb(11, 11, 18)';
    const mounted = await mount();
    const { element, link } = mounted;
    await reach(element, 'ready');
    expect(contrast(getComputedStyle(part(element, 'legal')).color, background)).to.be.at.least(MINIMUM);
    press(element);
    link.exit('INVALID_CREDENTIALS', null, 'ITEM_ERROR');
    await reach(element, 'error');
    expect(contrast(getComputedStyle(part(element, 'error')).color, background)).to.be.at.least(MINIMUM);
    element.reset();
    await connect(mounted);
    for (const shown of [part(element, 'bank-name'), linkNamed(element, 'Change'), linkNamed(element, 'Remove')]) {
      expect(contrast(getComputedStyle(shown).color, background)).to.be.at.least(MINIMUM);
    }
    expect(getComputedStyle(part(element, 'account')).backgroundColor).to.equal('rgba(0, 0, 0, 0)');
    await mount();
    expect(warnings.filter((text) => text.includes('color-scheme'))).to.have.length(1);
  });

  it('are followed by the scheme that the attribute theme names', async () => {
    const { element } = await mount();
    await reach(element, 'ready');
    element.theme = 'dark';
    await element.updateComplete;
    expect(element.getAttribute('theme')).to.equal('dark');
    expect(getComputedStyle(element).colorScheme).to.equal('dark');
    expect(contrast(getComputedStyle(part(element, 'legal')).color, 'rgb(11, 11, 18)')).to.be.at.least(MINIMUM);
    expect(warnings).to.deep.equal([]);
  });

  it('do not make the texts small', async () => {
    sheet.textContent = 'html { font-size: 62.5% }';
    const { element } = await mount();
    await reach(element, 'ready');
    expect(getComputedStyle(part(element, 'button')).fontSize).to.equal('16px');
    expect(getComputedStyle(part(element, 'legal')).fontSize).to.equal('13px');
  });

  it('the texts do not take what the page sets on its body, and take what it sets on every element', async () => {
    sheet.textContent = 'body { text-transform: uppercase; letter-spacing: 3px; word-spacing: 5px; text-indent: 9px }';
    const { element } = await mount();
    await reach(element, 'ready');
    const styles = () => [part(element, 'button'), part(element, 'legal')].map((one) => getComputedStyle(one));
    for (const style of styles()) {
      expect(style.textTransform).to.equal('none');
      expect(style.letterSpacing).to.be.oneOf(['normal', '0px']);
      expect(style.wordSpacing).to.be.oneOf(['normal', '0px']);
      expect(style.textIndent).to.equal('0px');
    }
    sheet.textContent = '* { letter-spacing: 2px !important; text-transform: lowercase }';
    for (const style of styles()) {
      expect(style.letterSpacing).to.equal('2px');
      expect(style.textTransform).to.equal('lowercase');
    }
  });

  for (const css of [
    'div:empty { display: none }',
    'body > div { display: none }',
    '* { all: unset !important }',
    'div { visibility: hidden !important; pointer-events: none !important; position: static !important }',
    'div { inset: auto !important; z-index: -1 !important; clip-path: circle(0) !important; inline-size: 0 !important }',
  ]) {
    it(`do not make the element believe that something covers Link: ${css}`, async () => {
      const { element, link, backend } = await mount();
      await reach(element, 'ready');
      sheet.textContent = css;
      press(element);
      await reach(element, 'open');
      expect(link.last.opened).to.equal(1);
      expect(backend.linkTokenInputs.map(({ mode }) => mode)).to.deep.equal(['button']);
    });
  }

  it('leave the embedded search its space where they hide what is empty', async () => {
    sheet.textContent = 'div:empty, finix-bank-connect > div { display: none }';
    const { element, link } = await mount({ mode: 'embedded' });
    await reach(element, 'ready');
    expect(link.searches.map(({ size }) => Math.min(...size) >= 300)).to.deep.equal([true]);
  });

  it('cut nothing with the text spacing that readers may set, 240 px wide', async () => {
    sheet.textContent = `section { inline-size: 240px }
      * { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }`;
    const mounted = await mount();
    const { element } = mounted;
    await reach(element, 'ready');
    const expectUncut = (name: string) => {
      const { scrollWidth, clientWidth, scrollHeight, clientHeight } = part(element, name);
      expect(scrollWidth - clientWidth, `${name}, across`).to.be.at.most(1);
      expect(scrollHeight - clientHeight, `${name}, down`).to.be.at.most(1);
    };
    expectUncut('button');
    press(element);
    await reach(element, 'open');
    expectUncut('button');
    mounted.link.succeed();
    await reach(element, 'connected');
    expectUncut('account');
  });
});
