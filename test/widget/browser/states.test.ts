import { expect } from '@open-wc/testing';
import type { FinixBankConnect } from '../../../widget/index.ts';
import { violations } from '../helpers/axe.ts';
import { cleanUp, mount, press, reach, spoken } from '../helpers/element.ts';
import { showState } from '../helpers/show-state.ts';
import { refusal } from '../helpers/simulated-backend.ts';
import { states } from '../helpers/states.ts';

const BACKGROUNDS = { light: '#fff', dark: '#101614' };

/** What the sentence asks for can be pressed. */
function expectWayForward(element: FinixBankConnect): void {
  const root = element.shadowRoot as ShadowRoot;
  const sentence = root.querySelector('.note > div')?.textContent ?? '';
  const button = root.querySelector('.main:enabled:not([aria-disabled=true])');
  if (/try again|connect again|choose another/i.test(sentence)) expect(button, sentence).not.to.equal(null);
}

describe('every state', () => {
  const box = document.createElement('main');
  beforeEach(() => document.body.append(box));
  afterEach(async () => {
    box.replaceChildren();
    box.remove();
    document.documentElement.style.colorScheme = '';
    document.body.style.background = '';
    await cleanUp();
  });

  for (const [scheme, background] of Object.entries(BACKGROUNDS)) {
    for (const [name, state] of Object.entries(states)) {
      it(`is accessible: ${name}, ${scheme}`, async () => {
        document.documentElement.style.colorScheme = scheme;
        document.body.style.background = background;
        const { element } = await showState(box, name, state);
        expect(spoken(element)).to.match(state.announces ?? /^$/);
        expect(element.getAttribute('status')).to.equal(state.status);
        expect(element.matches(`:state(${state.status})`)).to.equal(true);
        expect(await violations(element)).to.deep.equal([]);
        expectWayForward(element);
      });
    }
  }

  it('shows the way to another payment only where the customer needs it', async () => {
    const { element } = await mount({}, ({ linkTokenErrors }) =>
      linkTokenErrors.push(refusal({ code: 'script_blocked', action: 'retry' })),
    );
    element.innerHTML = '<a slot="fallback" href="#card">Pay by card</a>';
    const fallback = element.firstElementChild as HTMLElement;
    await reach(element, 'blocked');
    expect(fallback.checkVisibility({ visibilityProperty: true })).to.equal(true);
    press(element);
    await reach(element, 'open');
    expect(fallback.checkVisibility({ visibilityProperty: true })).to.equal(false);
  });
});
