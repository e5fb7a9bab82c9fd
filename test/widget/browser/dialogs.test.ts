import { expect, nextFrame } from '@open-wc/testing';
import { listenToConsole } from '../helpers/console.ts';
import { cleanUp, mount, press, reach, spoken } from '../helpers/element.ts';
import { type SimulatedBackend, session } from '../helpers/simulated-backend.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const HOSTED = 'https://hosted.example/link';
const withHosted = (backend: SimulatedBackend) => {
  const { createLinkToken } = backend;
  backend.createLinkToken = async (secret, input) => {
    const token = await createLinkToken.call(backend, secret, input);
    return input.mode === 'hosted' ? { ...token, hosted_link_url: HOSTED } : token;
  };
};

/** What pages put the element into that covers Link, and how each is opened. */
const COVERS: Record<string, () => { box: HTMLElement; inner: HTMLElement | ShadowRoot; open(): void; close(): void }> =
  {
    'a modal dialog': () => {
      const box = document.createElement('dialog');
      return { box, inner: box, open: () => box.showModal(), close: () => box.close() };
    },
    'a modal dialog around a shadow root': () => {
      const box = document.createElement('dialog');
      const host = box.appendChild(document.createElement('div'));
      return {
        box,
        inner: host.attachShadow({ mode: 'open' }),
        open: () => box.showModal(),
        close: () => box.close(),
      };
    },
    'a modal dialog inside of the shadow root that it is slotted into': () => {
      const box = document.createElement('div');
      const root = box.attachShadow({ mode: 'closed' });
      root.innerHTML = '<dialog><slot></slot></dialog>';
      const dialog = root.firstElementChild as HTMLDialogElement;
      return { box, inner: box, open: () => dialog.showModal(), close: () => dialog.close() };
    },
    'a popover': () => {
      const box = document.createElement('div');
      box.popover = 'auto';
      return { box, inner: box, open: () => box.showPopover(), close: () => box.hidePopover() };
    },
    'a popover that only the page closes': () => {
      const box = document.createElement('div');
      box.popover = 'manual';
      return { box, inner: box, open: () => box.showPopover(), close: () => box.hidePopover() };
    },
    'a dialog that a library draws': () => {
      const box = document.createElement('div');
      box.setAttribute('role', 'dialog');
      box.hidden = true;
      return { box, inner: box, open: () => (box.hidden = false), close: () => (box.hidden = true) };
    },
    'an element with aria-modal': () => {
      const box = document.createElement('section');
      box.ariaModal = 'true';
      return { box, inner: box, open: () => {}, close: () => box.removeAttribute('aria-modal') };
    },
    'a page that ignores the pointer outside of its dialog': () => {
      const box = document.createElement('div');
      const { style } = document.body;
      return { box, inner: box, open: () => (style.pointerEvents = 'none'), close: () => (style.pointerEvents = '') };
    },
  };

describe('inside of', () => {
  const opened: string[] = [];
  const { open: openWindow } = window;
  let console: ReturnType<typeof listenToConsole>;
  beforeEach(() => {
    console = listenToConsole();
    window.open = () => {
      const location = {
        set href(address: string) {
          opened.push(address);
        },
      };
      return { closed: false, location, focus() {}, close() {} } as unknown as Window;
    };
  });
  afterEach(async () => {
    console.stop();
    window.open = openWindow;
    opened.length = 0;
    document.body.style.pointerEvents = '';
    for (const box of document.querySelectorAll('[data-cover]')) box.remove();
    await cleanUp();
  });

  /** An element in something that covers Link, which is open. */
  async function covered(name: string, prepare: (backend: SimulatedBackend) => void, properties = {}) {
    const cover = COVERS[name]?.();
    if (!cover) throw new Error(name);
    cover.box.dataset['cover'] = '';
    document.body.append(cover.box);
    cover.open();
    const mounted = await mount(properties, prepare);
    cover.inner.append(mounted.element);
    return { ...mounted, cover };
  }

  for (const name of Object.keys(COVERS)) {
    it(`${name}, Link is opened in a window of its own, and connects`, async () => {
      const { element, backend, link } = await covered(name, withHosted);
      // What only the browser can see is found out at the press.
      const isSeenBefore = !name.includes('slotted');
      if (isSeenBefore) await waitUntil(() => backend.linkTokenInputs.at(-1)?.mode === 'hosted', 'Hosted Link');
      await reach(element, 'ready');
      press(element);
      if (isSeenBefore) expect(element.status).to.equal('open');
      await reach(element, 'open');
      expect(opened).to.deep.equal([HOSTED]);
      expect(link.handlers.every((handler) => handler.opened === 0)).to.equal(true);
      for (let i = 0; i < 3; i++) backend.sessionAnswers.push(session('completed', ['active']));
      await reach(element, 'connected');
      expect(console.lines).to.be.empty;
    });

    it(`${name} that the page closes in answer to fbc-open, Link is opened in the page`, async () => {
      const { element, link, cover } = await covered(name, withHosted);
      await reach(element, 'ready');
      element.addEventListener('fbc-open', () => {
        document.body.append(element);
        cover.close();
      });
      press(element);
      await reach(element, 'open');
      expect(link.last.opened).to.equal(1);
      expect(opened).to.be.empty;
      element.remove();
    });
  }

  for (const name of ['a modal dialog', 'a modal dialog around a shadow root', 'a popover that only the page closes']) {
    it(`${name}, and without Hosted Link, the customer sees an error instead of a Link that can’t be reached`, async () => {
      const { element, link, log, cover } = await covered(name, () => {});
      await reach(element, 'ready');
      press(element);
      await reach(element, 'error');
      expect(element.error).to.include({ code: 'link_covered', action: 'contact_merchant' });
      expect(log.at(-1)).to.equal('fbc-error error');
      expect(link.last.opened).to.equal(0);
      expect(console.lines.join()).to.contain('fbc-open');
      // A dead end has no button. Its text names the next step, and another way to pay.
      expect(spoken(element)).to.equal('Close this dialog to continue with Plaid.');
      expect(element.shadowRoot?.querySelector('.main')).to.equal(null);
      expect(element.shadowRoot?.querySelector('[name=fallback]')?.classList.contains('gone')).to.equal(false);
      // Somewhere else it works again.
      cover.close();
      document.body.append(element);
      element.requestUpdate();
      await reach(element, 'ready');
      press(element);
      expect(element.status).to.equal('open');
      element.remove();
    });
  }

  for (const name of ['a popover', 'a dialog that a library draws']) {
    it(`${name}, and without Hosted Link, Link is opened in the page, and the console shows what to do`, async () => {
      const { element, link } = await covered(name, () => {});
      await reach(element, 'ready');
      press(element);
      expect(element.status).to.equal('open');
      expect(link.last.opened).to.equal(1);
      expect(console.lines.join()).to.contain('fbc-open');
    });
  }

  it('a popover that only the page closes and that leaves the middle of the window free, Link is opened in the page', async () => {
    const { element, link, cover } = await covered('a popover that only the page closes', () => {});
    Object.assign(cover.box.style, { inset: '0 auto auto 0', margin: '0', inlineSize: '200px' });
    await reach(element, 'ready');
    press(element);
    expect(element.status).to.equal('open');
    expect(link.last.opened).to.equal(1);
  });

  it('an element with the attribute popover in a browser that knows none, nothing is different', async function () {
    if ('popover' in HTMLElement.prototype) return this.skip();
    const box = document.createElement('div');
    box.setAttribute('popover', 'manual');
    box.dataset['cover'] = '';
    document.body.append(box);
    const { element, link, backend } = await mount({}, withHosted, box);
    await reach(element, 'ready');
    press(element);
    expect(link.last.opened).to.equal(1);
    expect(backend.linkTokenInputs.map(({ mode }) => mode)).to.deep.equal(['button']);
  });

  it('a modal dialog, an embedded search gives way to a button, because it opens Link in the page', async () => {
    const { element, link } = await covered('a modal dialog', withHosted, { mode: 'embedded' });
    await reach(element, 'ready');
    expect(link.searches).to.be.empty;
    press(element);
    expect(opened).to.deep.equal([HOSTED]);
  });

  it('a dialog that is not modal, nothing is different', async () => {
    const box = document.createElement('div');
    box.setAttribute('role', 'dialog');
    box.ariaModal = 'false';
    box.dataset['cover'] = '';
    document.body.append(box);
    const { element, link, backend } = await mount({}, withHosted, box);
    await reach(element, 'ready');
    press(element);
    expect(link.last.opened).to.equal(1);
    expect(backend.linkTokenInputs.map(({ mode }) => mode)).to.deep.equal(['button']);
  });

  it('a dialog that opens only after Link was prepared, it is prepared again before it opens', async () => {
    const dialog = document.createElement('dialog');
    dialog.dataset['cover'] = '';
    const mounted = await mount({}, withHosted);
    await reach(mounted.element, 'ready');
    document.body.append(dialog);
    dialog.append(mounted.element);
    dialog.showModal();
    await nextFrame();
    press(mounted.element);
    await waitUntil(() => opened.length === 1);
    expect(mounted.link.handlers.every((handler) => handler.opened === 0)).to.equal(true);
    expect(mounted.element.status).to.equal('open');
  });
});
