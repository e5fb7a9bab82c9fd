import { aTimeout, expect, nextFrame } from '@open-wc/testing';
import type { SelectableAccount, Session } from '../../../widget/contract.ts';
import type { FinixBankConnect } from '../../../widget/index.ts';
import { loadPlaid } from '../../../widget/link/load-plaid.ts';
import { listenToConsole } from '../helpers/console.ts';
import { cleanUp, connect, type Mounted, mount, part, press, reach } from '../helpers/element.ts';
import { FrameLink } from '../helpers/frame-link.ts';
import { refusal, type SimulatedBackend } from '../helpers/simulated-backend.ts';
import { SimulatedLink } from '../helpers/simulated-link.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const accounts: SelectableAccount[] = ['1111', '2222'].map((mask) => {
  return { id: `acc_${mask}`, name: 'Plaid Checking', mask, subtype: 'checking' };
});
const asking = (backend: SimulatedBackend) =>
  backend.completeAnswers.push(
    refusal({ code: 'account_selection_required', action: 'choose_account', retryable: true, accounts }),
  );
const dialogOf = ({ element }: Mounted) => element.shadowRoot?.querySelector('dialog') as HTMLDialogElement;

describe('a page', () => {
  const sheet = document.createElement('style');
  let console: ReturnType<typeof listenToConsole>;
  beforeEach(() => {
    console = listenToConsole();
    document.head.append(sheet);
  });
  afterEach(async () => {
    console.stop();
    sheet.remove();
    sheet.textContent = '';
    await cleanUp();
    document.body.removeAttribute('style');
    scrollTo(0, 0);
    for (const one of document.querySelectorAll('body > iframe, [data-test]')) one.remove();
  });

  async function scrolledWithLink() {
    document.body.style.minHeight = '5000px';
    const mounted = await mount({}, undefined, undefined, FrameLink.install());
    await reach(mounted.element, 'ready');
    scrollTo(0, 600);
    await nextFrame();
    press(mounted.element);
    await waitUntil(() => document.body.style.overflow === 'hidden');
    return mounted;
  }

  for (const [name, act] of [
    [
      'removes the element with Link open, and then scrolls to its top,',
      (element: FinixBankConnect) => {
        element.remove();
        scrollTo(0, 0);
      },
    ],
    [
      'scrolls to its top, and then resets the element with Link open,',
      (element: FinixBankConnect) => {
        scrollTo(0, 0);
        element.reset();
      },
    ],
  ] as const) {
    it(`that ${name} stays at its top, and can be scrolled`, async () => {
      const { element, link } = await scrolledWithLink();
      act(element);
      await waitUntil(() => link.handlers[0]?.destroyed);
      await nextFrame();
      expect(scrollY).to.equal(0);
      expect(document.body.style.overflow).to.equal('');
    });
  }

  it('that takes the frame of an open Link away, as a morph of its body does, gets its scrolling and a new Link', async () => {
    const { element, link, log } = await scrolledWithLink();
    document.querySelector('body > iframe')?.remove();
    await waitUntil(() => log.some((line) => line.startsWith('fbc-canceled')));
    await waitUntil(() => link.handlers.length === 2);
    await reach(element, 'ready');
    expect(document.body.style.overflow).to.equal('');
    press(element);
    expect(link.handlers.map(({ opened }) => opened)).to.deep.equal([1, 1]);
    link.succeed();
    await reach(element, 'connected');
  });

  it('that takes the frame of a Link away that is not open yet gets another one at the press', async () => {
    const { element, link, log } = await mount({}, undefined, undefined, FrameLink.install());
    await reach(element, 'ready');
    document.querySelector('body > iframe')?.remove();
    press(element);
    await reach(element, 'open');
    expect(link.handlers.map(({ opened }) => opened)).to.deep.equal([0, 1]);
    expect(link.handlers[0]?.destroyed).to.equal(true);
    link.succeed();
    await reach(element, 'connected');
    expect(log.filter((line) => line.startsWith('fbc-error'))).to.deep.equal([]);
  });

  for (const [library, event] of [
    ['Turbo', 'turbo:before-cache'],
    ['htmx', 'htmx:beforeHistorySave'],
  ] as const) {
    it(`that ${library} copies with Link open has no Link in the copy, and can be scrolled there`, async () => {
      const libraries = globalThis as { [library in 'Turbo' | 'htmx']?: object };
      libraries[library] = {};
      try {
        const { element, link, log } = await scrolledWithLink();
        let copied: unknown;
        // What closes Link before the copy is loaded by then, or soon.
        await waitUntil(() => {
          document.body.dispatchEvent(new CustomEvent(event, { bubbles: true }));
          const frame = document.querySelector<HTMLElement>('body > iframe');
          copied = [document.body.style.overflow, frame?.style.display];
          return log.at(-1)?.startsWith('fbc-canceled');
        });
        expect(copied).to.deep.equal(['', 'none']);
        await waitUntil(() => link.handlers.length === 2);
        await reach(element, 'ready');
      } finally {
        delete libraries[library];
      }
    });
  }

  it('that has another body with Link open loses nothing of its style, and the first body is not locked', async () => {
    const { link } = await scrolledWithLink();
    const first = document.body;
    const second = document.createElement('body');
    second.style.overflow = 'clip';
    first.replaceWith(second);
    await waitUntil(() => link.handlers[0]?.destroyed);
    const overflows = [first, second].map(({ style }) => style.overflow);
    second.replaceWith(first);
    expect(overflows).to.deep.equal(['', 'clip']);
  });

  it('without a body for a moment has no Link that is left open, and no error', async () => {
    const { element, link } = await scrolledWithLink();
    const { body } = document;
    body.remove();
    await waitUntil(() => link.handlers[0]?.destroyed);
    document.documentElement.append(body);
    await reach(element, 'ready');
    expect(body.style.overflow).to.equal('');
    expect(body.querySelectorAll(':scope > iframe')).to.have.length(1);
  });

  it('whose Link takes its own frame away before it reports a bank still gets the bank', async () => {
    const { element, link } = await scrolledWithLink();
    document.querySelector('body > iframe')?.remove();
    // Sooner than any timer that begins at the removal, however slow the machine is.
    await aTimeout(0);
    link.succeed();
    await reach(element, 'connected');
  });

  it('with a variable named URL opens a Hosted Link', async () => {
    const { URL } = globalThis;
    Object.assign(globalThis, { URL: 'https://shop.example' });
    try {
      const { element } = await mount({ mode: 'hosted' }, (backend) => {
        backend.hostedLinkUrl = 'https://hosted.example/link';
      });
      await reach(element, 'ready');
    } finally {
      Object.assign(globalThis, { URL });
    }
  });

  it('whose service worker answers in place of the server lets the customer send the public token again', async () => {
    const mounted = await mount({}, (backend) => void backend.completeAnswers.push({} as Session));
    const { element, link, backend } = mounted;
    await reach(element, 'ready');
    press(element);
    link.succeed();
    await reach(element, 'error');
    expect(element.error).to.include({ code: 'network_failed', action: 'retry' });
    press(element);
    await reach(element, 'connected');
    expect(backend.completed.map(({ input }) => input.public_token)).to.deep.equal(Array(2).fill('public-sandbox-1'));
  });

  for (const [name, hide] of [
    ['a <details> that is closed', (box: HTMLElement, isHidden: boolean) => box.toggleAttribute('open', !isHidden)],
    [
      'a part with content-visibility: hidden',
      (box: HTMLElement, isHidden: boolean) =>
        box.style.setProperty('content-visibility', isHidden ? 'hidden' : 'visible'),
    ],
  ] as const) {
    it(`with the element in ${name} is not blocked by a question that can not be seen`, async () => {
      const box = document.createElement('details');
      box.open = true;
      const mounted = await mount({}, asking, box);
      await reach(mounted.element, 'ready');
      press(mounted.element);
      hide(box, true);
      // The browser notices between two frames.
      for (let i = 0; i < 3; i++) await nextFrame();
      const asked = new Promise<void>((resolve) => {
        mounted.element.addEventListener('fbc-step', ({ detail }) => detail.step === 'choose_account' && resolve());
      });
      mounted.link.succeed();
      await asked;
      await reach(mounted.element, 'connecting');
      expect(dialogOf(mounted).open).to.equal(false);
      hide(box, false);
      await waitUntil(() => dialogOf(mounted).open);
    });
  }

  it('does not receive the keys and choices of a question, of which Escape would also close a dialog of its own', async () => {
    const mounted = await mount({}, asking);
    await reach(mounted.element, 'ready');
    press(mounted.element);
    mounted.link.succeed();
    await waitUntil(() => dialogOf(mounted).open);
    const seen: string[] = [];
    const listening = new AbortController();
    for (const type of ['keydown', 'input']) {
      document.addEventListener(type, () => seen.push(type), { signal: listening.signal });
    }
    const choice = dialogOf(mounted).querySelector('input') as HTMLInputElement;
    choice.click();
    choice.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, composed: true }));
    listening.abort();
    expect(choice.checked).to.equal(true);
    expect(seen).to.be.empty;
  });

  it('that empties the list in the detail of an event takes nothing from the element', async () => {
    const mounted = await mount();
    mounted.element.addEventListener('fbc-connected', ({ detail }) => {
      detail.connections.length = 0;
    });
    await connect(mounted);
    expect(mounted.element.value).to.equal('con_1');
  });

  it('that writes its language with an underscore is spoken to in it', async () => {
    const box = document.createElement('div');
    box.lang = 'pt_BR';
    const { element, backend } = await mount({}, undefined, box);
    await reach(element, 'ready');
    expect(part(element, 'button').textContent).to.contain('banco');
    expect(backend.linkTokenInputs[0]?.language).to.equal('pt-BR');
  });

  it('does not hyphenate or break the words of the element', async () => {
    sheet.textContent = 'body { hyphens: auto; word-break: break-all }';
    const { element } = await mount();
    await reach(element, 'ready');
    for (const name of ['button', 'legal']) {
      expect(getComputedStyle(part(element, name))).to.include({ hyphens: 'manual', wordBreak: 'normal' });
    }
  });

  it('that makes the element a flex container gets a button as wide as the element', async () => {
    sheet.textContent = 'finix-bank-connect { display: flex; inline-size: 500px }';
    const { element } = await mount();
    await reach(element, 'ready');
    expect(part(element, 'button').getBoundingClientRect().width).to.equal(500);
  });

  it('in the middle of a view transition does not make the element believe that something covers Link', async function () {
    const { startViewTransition } = document as Partial<Document>;
    if (!startViewTransition) this.skip();
    const { element, link } = await mount();
    await reach(element, 'ready');
    const transition = startViewTransition?.call(document, () => {});
    await transition?.ready.catch(() => {});
    element.open();
    expect(link.last.opened).to.equal(1);
    transition?.skipTransition();
    await transition?.finished;
  });

  it('with a closed shadow root whose dialog covers Link shows how to go on, for as long as it does', async () => {
    const box = document.createElement('div');
    box.dataset['test'] = '';
    const root = box.attachShadow({ mode: 'closed' });
    root.innerHTML = '<dialog><slot></slot></dialog>';
    const dialog = root.firstElementChild as HTMLDialogElement;
    document.body.append(box);
    dialog.showModal();
    const { element, log } = await mount();
    box.append(element);
    await reach(element, 'ready');
    press(element);
    await waitUntil(() => log.some((line) => line.startsWith('fbc-error')));
    for (let i = 0; i < 3; i++) {
      element.requestUpdate();
      await element.updateComplete;
      await aTimeout(0);
    }
    expect(element.error?.code).to.equal('link_covered');
    dialog.close();
    document.body.append(element);
    await reach(element, 'ready');
    element.remove();
  });

  it('finds its address as it has written it after a return, but for what the bank has added', async () => {
    const home = location.href;
    const before = `${location.pathname}${location.search || '?a'}&q=a%20b&flag&x=%C3%A9~(1)#place`;
    history.replaceState(null, '', before.replace('&q', '&oauth_state_id=abc&q'));
    try {
      const { element } = await mount();
      await reach(element, 'ready');
      expect(location.href).to.equal(location.origin + before);
    } finally {
      history.replaceState(null, '', home);
    }
  });

  it('that names Link’s script without a scheme is not given a second one', async () => {
    SimulatedLink.remove();
    const place = document.createElement('div');
    // A tag that a parser has made in such a place is not fetched.
    place.innerHTML = '<script src="//cdn.plaid.com/link/v2/stable/link-initialize.js"></script>';
    document.body.append(place);
    const loading = loadPlaid();
    expect(document.querySelectorAll('script[src*="link-initialize"]')).to.have.length(1);
    const link = SimulatedLink.install();
    expect(await loading).to.equal(link);
    place.remove();
  });
});
