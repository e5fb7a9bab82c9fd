import { aTimeout, expect } from '@open-wc/testing';
import { cleanUp, mount, mountFarAway, part, press, reach, spoken } from '../helpers/element.ts';
import { refusal } from '../helpers/simulated-backend.ts';
import { waitUntil } from '../helpers/wait-until.ts';

/** Browsers above the support floor may have no popovers and ignore the attribute: nothing can be opened in them. */
const supportsPopovers = 'popover' in HTMLElement.prototype;

describe('an element whose box the page takes away', () => {
  afterEach(async () => {
    document.querySelector('style[data-test]')?.remove();
    await cleanUp();
  });

  function addStyle(css: string): void {
    const style = document.createElement('style');
    style.dataset['test'] = '';
    style.textContent = css;
    document.head.append(style);
  }

  for (const css of [
    'finix-bank-connect { display: contents }',
    'finix-bank-connect { display: contents !important }',
    'form > * { display: contents }',
  ]) {
    it(`prepares Link when the customer scrolls near: ${css}`, async () => {
      addStyle(css);
      const { element } = await mount({}, undefined, document.createElement('form'));
      await reach(element, 'ready');
      expect(element.getClientRects()).to.have.length(0);
      expect(part(element, 'button').getBoundingClientRect().width).to.be.at.least(144);
      press(element);
      await reach(element, 'open');
    });
  }

  it('without a box a missing bank is shown, and has the focus', async () => {
    addStyle('finix-bank-connect { display: contents }');
    const { element } = await mount({ name: 'bank', required: true }, undefined, document.createElement('form'));
    await reach(element, 'ready');
    expect(element.reportValidity()).to.equal(false);
    await element.updateComplete;
    expect(element.shadowRoot?.activeElement).to.equal(part(element, 'button'));
    expect(spoken(element)).to.contain('Connect a bank account to continue.');
  });

  it('without a box a question is asked', async () => {
    addStyle('finix-bank-connect { display: contents }');
    const accounts = ['a', 'b'].map((id) => ({ id, name: id, mask: id, subtype: 'checking' }));
    const { element, link } = await mount({}, ({ completeAnswers }) =>
      completeAnswers.push(refusal({ code: 'account_selection_required', action: 'choose_account', accounts })),
    );
    await reach(element, 'ready');
    press(element);
    link.succeed();
    await waitUntil(() => element.shadowRoot?.querySelector('dialog')?.open);
  });

  it('prepares nothing without a box while the customer is far away', async () => {
    addStyle('finix-bank-connect { display: contents }');
    const { element, backend } = await mountFarAway();
    expect(backend.calls).to.be.empty;
    element.scrollIntoView();
    part(element, 'button').scrollIntoView();
    await reach(element, 'ready');
    scrollTo(0, 0);
  });

  it('prepares nothing after it has left the page at once', async () => {
    const { element, backend } = await mount();
    const parent = element.parentElement as HTMLElement;
    element.remove();
    await aTimeout(100);
    expect(backend.calls).to.be.empty;
    parent.append(element);
    await reach(element, 'ready');
  });

  (supportsPopovers ? it : it.skip)('is shown as a popover only while it is open, and is readable then', async () => {
    addStyle('body { color: #fff; background: #111 }');
    const { element } = await mount();
    element.setAttribute('popover', '');
    await element.updateComplete;
    expect(getComputedStyle(element).display).to.equal('none');
    element.showPopover();
    expect(getComputedStyle(element).display).to.equal('block');
    await reach(element, 'ready');
    expect(part(element, 'button').getBoundingClientRect().width).to.be.at.least(240);
    const { color, backgroundColor } = getComputedStyle(element);
    expect(color).to.equal('rgb(0, 0, 0)');
    expect(backgroundColor).to.equal('rgb(255, 255, 255)');
    element.hidePopover();
    expect(getComputedStyle(element).display).to.equal('none');
    element.removeAttribute('popover');
    expect(getComputedStyle(element).display).to.equal('block');
    element.hidden = true;
    expect(getComputedStyle(element).display).to.equal('none');
  });
});
