import { expect } from '@open-wc/testing';
import type { Session } from '../../../widget/contract.ts';
import { violations } from '../helpers/axe.ts';
import { cleanUp, reach } from '../helpers/element.ts';
import { showState } from '../helpers/show-state.ts';
import { session } from '../helpers/simulated-backend.ts';
import { type State, states } from '../helpers/states.ts';

const REQUIRED = 'Connect a bank account to continue.';

/** The text that is drawn, without what only a screen reader gets. */
function shownTimes(root: ShadowRoot, text: string): number {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  let times = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const { parentElement: parent } = node;
    const isDrawn = parent?.checkVisibility({ visibilityProperty: true }) && !parent.closest('.spoken');
    if (isDrawn && node.nodeValue?.includes(text)) times++;
  }
  return times;
}

/** What a screen reader announces: inside of a modal dialog, only what is in it. */
function announced(root: ShadowRoot): string {
  const scope = root.querySelector('dialog[open]') ?? root;
  return scope.querySelector('[role=status]')?.textContent?.trim() ?? '';
}

describe('a form that is sent without a bank', () => {
  const box = document.createElement('main');
  beforeEach(() => document.body.append(box));
  afterEach(async () => {
    box.replaceChildren();
    box.remove();
    await cleanUp();
  });

  for (const [name, state] of Object.entries(states)) {
    const hasValue = state.status === 'connected' || state.status === 'pending_verification';
    if (hasValue || state.properties?.disabled) continue;
    it(`gets the message, shown and announced, from the element in the state "${name}"`, async () => {
      const properties = { ...state.properties, required: true };
      const { element } = await showState(box, name, { ...state, properties });
      const root = element.shadowRoot as ShadowRoot;
      const before = announced(root);
      expect(element.reportValidity()).to.equal(false);
      await element.updateComplete;
      expect(announced(root)).to.contain(REQUIRED);
      // What the state itself is about is still there.
      if (state.status === 'error' || state.status === 'blocked') expect(announced(root)).to.contain(before);
      const isAsking = root.querySelector('dialog[open]') !== null;
      // Behind the dialog it is shown as well, for when the dialog is gone.
      expect(shownTimes(root, REQUIRED)).to.equal(isAsking ? 2 : 1);
      expect(await violations(element)).to.deep.equal([]);
    });
  }

  it('shows the message until the customer has begun to connect a bank, and no more after an error that follows', async () => {
    const { element, link } = await showState(box, 'ready', { status: 'ready', properties: { required: true } });
    const root = element.shadowRoot as ShadowRoot;
    element.reportValidity();
    await element.updateComplete;
    expect(shownTimes(root, REQUIRED)).to.equal(1);
    element.open();
    await element.updateComplete;
    expect(shownTimes(root, REQUIRED)).to.equal(0);
    link.exit('INVALID_CREDENTIALS');
    await element.updateComplete;
    expect(element.status).to.equal('error');
    expect(announced(root)).not.to.contain(REQUIRED);
  });

  it('keeps the message while a bank is connecting, until it is connected', async () => {
    let give = (_: Session) => {};
    const { element } = await showState(box, 'connecting', {
      ...(states['connecting'] as State),
      properties: { required: true },
      server: ({ completeAnswers }) => completeAnswers.push(new Promise<Session>((resolve) => (give = resolve))),
    });
    const root = element.shadowRoot as ShadowRoot;
    element.reportValidity();
    await element.updateComplete;
    expect(shownTimes(root, REQUIRED)).to.equal(1);
    give(session('completed', ['active']));
    await reach(element, 'connected');
    expect(shownTimes(root, REQUIRED)).to.equal(0);
    expect(announced(root)).to.equal('Chase ••1234 is connected.');
  });
});
