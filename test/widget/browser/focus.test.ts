import { aTimeout, expect, nextFrame } from '@open-wc/testing';
import { descriptionOf } from '../helpers/axe.ts';
import { cleanUp, linkNamed, mount, part, press, reach, spoken } from '../helpers/element.ts';
import { FrameLink } from '../helpers/frame-link.ts';
import { failedSession } from '../helpers/simulated-backend.ts';
import { waitUntil } from '../helpers/wait-until.ts';

// Longer than the element looks for a focus that is lost.
const SETTLED = 1_200;

async function expectOpened(
  settings: Parameters<typeof FrameLink.install>[0] = {},
  prepare?: Parameters<typeof mount>[1],
) {
  const form = document.createElement('form');
  form.innerHTML = '<input id="name" aria-label="Name">';
  const mounted = await mount({ name: 'bank' }, prepare, form, FrameLink.install(settings));
  await reach(mounted.element, 'ready');
  part(mounted.element, 'button').focus();
  press(mounted.element);
  await reach(mounted.element, 'open');
  expect(document.activeElement?.localName).to.equal('iframe');
  return { ...mounted, form };
}
const focused = (element: HTMLElement) => element.shadowRoot?.activeElement ?? null;

describe('the focus', () => {
  afterEach(async () => {
    await cleanUp();
    for (const frame of document.querySelectorAll('body > iframe')) frame.remove();
  });

  for (const leaving of ['before', 'after', 'later', 'destroyed'] as const) {
    it(`comes back to the button when the customer leaves Link, whose frame goes ${leaving}`, async () => {
      const { element, link } = await expectOpened({ leaving });
      link.exit();
      // A frame that stays as it was keeps the focus: it may be another one of the page.
      if (leaving === 'destroyed') document.querySelector('body > iframe')?.remove();
      await waitUntil(() => focused(element) === part(element, 'button'));
    });

    it(`comes back to the button after an error of Link, whose frame goes ${leaving}`, async () => {
      const { element, link } = await expectOpened({ leaving });
      link.exit('ITEM_LOCKED');
      await reach(element, 'error');
      await waitUntil(() => focused(element) === part(element, 'button'));
    });

    it(`comes to the card after success, when Link’s frame goes ${leaving}`, async () => {
      const { element, link } = await expectOpened({ leaving });
      link.succeed();
      await reach(element, 'connected');
      await waitUntil(() => focused(element) === part(element, 'account'));
    });
  }

  it('comes back in a shadow root of the page, and where Link ends as soon as it was opened', async () => {
    const host = document.createElement('div');
    const root = host.attachShadow({ mode: 'open' });
    const link = FrameLink.install();
    const { element } = await mount({}, undefined, document.createElement('div'), link);
    element.parentElement?.append(host);
    root.append(element);
    await reach(element, 'ready');
    part(element, 'button').focus();
    press(element);
    expect(document.activeElement?.localName).to.equal('iframe');
    link.exit();
    await waitUntil(() => focused(element) === part(element, 'button'));
    expect(root.activeElement).to.equal(element);
  });

  it('comes to a control that is drawn where the page has its own content for a connected bank', async () => {
    const { element, link } = await expectOpened();
    element.insertAdjacentHTML('beforeend', '<b slot="connected">Your bank</b>');
    link.succeed();
    await reach(element, 'connected');
    await waitUntil(() => focused(element)?.getClientRects().length);
    expect(focused(element)?.textContent).to.equal('Change');
  });

  it('comes back after an error that the server reports', async () => {
    const { element, link } = await expectOpened({}, ({ completeAnswers }) =>
      completeAnswers.push(failedSession('instrument_refused', 'use_other_method')),
    );
    link.succeed();
    await reach(element, 'error');
    await waitUntil(() => focused(element) === part(element, 'button'));
  });

  it('comes back inside of shadow roots, open and closed', async () => {
    for (const mode of ['open', 'closed'] as const) {
      const host = document.createElement('div');
      const root = host.attachShadow({ mode });
      const { element, link } = await mount({}, undefined, root, FrameLink.install());
      document.body.append(host);
      await reach(element, 'ready');
      press(element);
      await reach(element, 'open');
      link.exit();
      await waitUntil(() => focused(element) === part(element, 'button'), mode);
      host.remove();
    }
  });

  it('stays where the page has put it in answer to an event', async () => {
    const { element, link, form } = await expectOpened({ leaving: 'later' });
    const field = form.querySelector('input') as HTMLInputElement;
    element.addEventListener('fbc-canceled', () => field.focus());
    link.exit();
    await aTimeout(SETTLED);
    expect(document.activeElement).to.equal(field);
  });

  it('stays in a frame of the page that the customer has gone to', async () => {
    const { element, link } = await expectOpened({ leaving: 'after' });
    const card = document.createElement('iframe');
    card.title = 'Card number';
    element.after(card);
    element.addEventListener('fbc-canceled', () => card.focus());
    link.exit();
    await aTimeout(SETTLED);
    expect(document.activeElement).to.equal(card);
  });

  it('is not taken again once it has come back', async () => {
    const { element, link } = await expectOpened();
    link.exit();
    await waitUntil(() => focused(element));
    (document.activeElement as HTMLElement).blur();
    element.requestUpdate();
    await aTimeout(SETTLED);
    expect(document.activeElement).to.equal(document.body);
  });

  for (const [name, status] of [
    ['Remove', 'ready'],
    ['Change', 'open'],
  ] as const) {
    it(`comes to the button when "${name}" is gone with the bank`, async () => {
      const { element, link } = await expectOpened();
      link.succeed();
      await reach(element, 'connected');
      await waitUntil(() => focused(element) === part(element, 'account'));
      const removing = linkNamed(element, name);
      removing.focus();
      removing.click();
      await element.updateComplete;
      await waitUntil(() => focused(element) === part(element, 'button'));
      await reach(element, status);
    });
  }

  it('of a page that scrolls by itself does not move the page', async () => {
    document.body.style.minHeight = '5000px';
    const { element, link } = await expectOpened();
    element.addEventListener('fbc-canceled', () => scrollTo(0, 2_000));
    link.exit();
    await waitUntil(() => focused(element));
    await nextFrame();
    expect(scrollY).to.equal(2_000);
    scrollTo(0, 0);
    document.body.style.minHeight = '';
  });

  it('brings the reason of an error once: announced, and then described', async () => {
    const { element, link, form } = await expectOpened();
    link.exit('ITEM_LOCKED');
    await reach(element, 'error');
    const button = part(element, 'button');
    await waitUntil(() => focused(element) === button);
    expect(spoken(element)).to.equal(element.error?.message);
    expect(descriptionOf(button)).to.equal('');
    form.querySelector('input')?.focus();
    await element.updateComplete;
    expect(descriptionOf(button)).to.equal(element.error?.message);
  });
});
