import { expect } from '@open-wc/testing';
import { violations } from '../helpers/axe.ts';
import { cleanUp, linkNamed, mount, press, reach, textOf } from '../helpers/element.ts';
import { refusal, type SimulatedBackend, session } from '../helpers/simulated-backend.ts';
import { SimulatedLink } from '../helpers/simulated-link.ts';
import { waitUntil } from '../helpers/wait-until.ts';
import { asWebview } from '../helpers/webview.ts';

/** An address on loopback that the test's page does not leave. */
const HOSTED = `${location.href}#hosted-link`;

/** Windows that the element opens, kept from the browser. */
function windows(blocked = false) {
  const opened: { closed: boolean; opener: unknown; location: { href: string }; focus(): void; close(): void }[] = [];
  const { open } = window;
  window.open = () => {
    if (blocked) return null;
    const one = {
      closed: false,
      opener: window,
      location: { href: '' },
      focus() {},
      close() {
        one.closed = true;
      },
    };
    opened.push(one);
    return one as unknown as Window;
  };
  return { opened, stop: () => (window.open = open) };
}

describe('a Hosted Link', () => {
  const { now } = Date;
  let stop = () => {};
  afterEach(async () => {
    Date.now = now;
    stop();
    history.replaceState(null, '', location.pathname + location.search);
    await cleanUp();
  });

  /** No customer closes a window sooner than this. */
  function later(): void {
    Date.now = () => now() + 1_500;
  }

  async function pressed(prepare: NonNullable<Parameters<typeof mount>[1]>) {
    const popups = windows();
    stop = popups.stop;
    const mounted = await mount({ mode: 'hosted' }, (backend) => {
      backend.hostedLinkUrl = HOSTED;
      prepare(backend);
    });
    await reach(mounted.element, 'ready');
    press(mounted.element);
    return { ...mounted, popups: popups.opened };
  }

  async function opened(prepare: NonNullable<Parameters<typeof mount>[1]> = () => {}) {
    const mounted = await pressed(prepare);
    const [popup] = mounted.popups;
    if (!popup) throw new Error('No window was opened');
    return { ...mounted, popup };
  }

  it('opens its window in the very click, with no way back into the page, and without Plaid’s script', async () => {
    const { popup, element, link } = await opened();
    expect(popup.location.href).to.equal(HOSTED);
    expect(popup.opener).to.equal(null);
    expect(element.status).to.equal('open');
    expect(link.handlers).to.be.empty;
  });

  it('is over when the session is, with the events of a button', async () => {
    const { element, log, backend, popup } = await opened((server) => {
      server.sessionAnswers.push(session('open'), session('open'), session('processing'));
      for (let i = 0; i < 3; i++) server.sessionAnswers.push(session('completed', ['active']));
    });
    await reach(element, 'connected');
    expect(log).to.deep.equal(['fbc-open ready', 'fbc-connected connected']);
    expect(backend.completed).to.be.empty;
    expect(popup.closed).to.equal(true);
  });

  it('whose window is closed is canceled, and one that goes on all the same is noticed', async () => {
    const { element, log, backend, popup } = await opened();
    later();
    popup.closed = true;
    await reach(element, 'ready');
    expect(log.at(-1)).to.equal('fbc-canceled ready');
    for (let i = 0; i < 3; i++) backend.sessionAnswers.push(session('completed', ['active']));
    await reach(element, 'connected');
  });

  it('in a window that the page is cut off from is not taken for one that was left', async () => {
    const { element, log, backend, popup } = await opened();
    popup.closed = true;
    const reads = () => backend.calls.filter((call) => call.startsWith('getSession')).length;
    const before = reads();
    await waitUntil(() => reads() > before + 5);
    later();
    await waitUntil(() => reads() > before + 10);
    expect(element.status).to.equal('open');
    expect(log).to.deep.equal(['fbc-open ready']);
    for (let i = 0; i < 3; i++) backend.sessionAnswers.push(session('completed', ['active']));
    await reach(element, 'connected');
  });

  it('whose window is not seen any more is left only by a customer who is back on the page', async () => {
    let isBack = false;
    document.hasFocus = () => isBack;
    try {
      const { element, backend, popup } = await opened();
      later();
      popup.closed = true;
      const before = backend.calls.length;
      await waitUntil(() => backend.calls.length > before + 6);
      expect(element.status).to.equal('open');
      isBack = true;
      await reach(element, 'ready');
    } finally {
      Reflect.deleteProperty(document, 'hasFocus');
    }
  });

  for (const address of [
    'javascript:document.title="taken"',
    'data:text/html,taken',
    'http://hosted.example/link',
    '//hosted.example/link',
    'blob:https://hosted.example/1',
    '#hosted',
  ]) {
    it(`is never opened at ${address}`, async () => {
      const popups = windows();
      stop = popups.stop;
      const { element } = await mount({ mode: 'hosted' }, (server) => {
        server.hostedLinkUrl = address;
      });
      await reach(element, 'error');
      expect(element.error?.code).to.equal('provider_misconfigured');
      expect(element.shadowRoot?.querySelector('button')).to.equal(null);
      element.open();
      expect(popups.opened).to.be.empty;
      expect(document.title).not.to.equal('taken');
    });
  }

  it('comes to the front with another press', async () => {
    const { element, popup, popups } = await opened();
    let focused = 0;
    popup.focus = () => {
      focused++;
    };
    press(element);
    expect(focused).to.equal(1);
    expect(popups).to.have.length(1);
  });

  it('lets the customer agree to a text that the server has asked for', async () => {
    const text = { text: 'Debit me', version: '1', text_sha256: 'ab' };
    const problem = { ...refusal({ code: 'authorization_required', action: 'retry' }), authorization: text };
    const asking = { ...session('open'), error: { ...problem, request_id: 'req_9' } as never };
    const { element, backend } = await opened((server) => {
      server.sessionAnswers.push(session('open'), asking, asking);
    });
    await waitUntil(() => element.shadowRoot?.querySelector('dialog')?.open);
    linkNamed(element, 'Agree and continue').click();
    await reach(element, 'connected');
    expect(backend.completed[0]?.input).to.deep.include({
      public_token: 'hosted',
      authorization: { accepted: true, text_sha256: 'ab' },
    });
  });

  it('asks for the text before it opens, so that nothing is left to ask at its end', async () => {
    const { element, backend, popups } = await pressed((server) => {
      server.authorization = { text: 'Debit me', version: '1', text_sha256: 'ab' };
    });
    await waitUntil(() => element.shadowRoot?.querySelector('dialog')?.open);
    expect(textOf(element)).to.contain('Debit me');
    expect(popups).to.be.empty;
    linkNamed(element, 'Agree and continue').click();
    await reach(element, 'open');
    expect(popups.map(({ location }) => location.href)).to.deep.equal([HOSTED]);
    expect(backend.linkTokenInputs.map(({ authorization }) => authorization)).to.deep.equal([
      undefined,
      { accepted: true, text_sha256: 'ab' },
    ]);
    for (let i = 0; i < 3; i++) backend.sessionAnswers.push(session('completed', ['active']));
    await reach(element, 'connected');
    expect(backend.completed).to.be.empty;
  });

  it('takes the place of the page where no window opens, with an address to come back to', async () => {
    const popups = windows(true);
    stop = popups.stop;
    const { element, backend } = await mount({ mode: 'hosted' }, (server) => {
      server.hostedLinkUrl = HOSTED;
    });
    await reach(element, 'ready');
    press(element);
    await waitUntil(() => location.href === HOSTED);
    expect(backend.linkTokenInputs.map(({ return_url }) => return_url)).to.deep.equal([
      undefined,
      location.origin + location.pathname + location.search,
    ]);
    expect(sessionStorage.getItem('finix-bank-connect:away')).to.contain('ses_public1_secret_abc');
  });

  it('is asked about when the page is come back to', async () => {
    const entry = { clientSecret: 'ses_9_secret_x', until: Date.now() + 60_000, name: '', index: 0 };
    sessionStorage.setItem('finix-bank-connect:away', JSON.stringify(entry));
    const { element, backend } = await mount({}, (server) => {
      server.sessionAnswers.push(session('open'), session('completed', ['active']));
    });
    await reach(element, 'connected');
    expect(backend.calls.slice(0, 2)).to.deep.equal(['getSession ses_9_secret_x', 'getSession ses_9_secret_x']);
  });

  it('is the way in a webview, where the server gives one', async () => {
    stop = asWebview();
    const { element, backend, link } = await mount({}, (server) => {
      server.hostedLinkUrl = HOSTED;
    });
    await reach(element, 'ready');
    expect(backend.linkTokenInputs[0]).to.include({ mode: 'button' });
    expect(backend.linkTokenInputs[0]?.return_url).to.equal(location.origin + location.pathname + location.search);
    press(element);
    expect(location.href).to.equal(HOSTED);
    expect(link.handlers).to.be.empty;
  });

  /** The element of mode `button` on a page that Plaid's script does not get into. */
  async function withoutScript(prepare: (server: SimulatedBackend) => void = () => {}) {
    const popups = windows();
    const append = document.head.append;
    document.head.append = (...nodes) => {
      for (const node of nodes) setTimeout(() => (node as HTMLElement).dispatchEvent(new Event('error')));
    };
    stop = () => {
      popups.stop();
      document.head.append = append;
    };
    const mounted = await mount({ mode: 'button' }, (server) => {
      server.hostedLinkUrl = HOSTED;
      prepare(server);
      queueMicrotask(() => SimulatedLink.remove());
    });
    await reach(mounted.element, 'blocked');
    await waitUntil(() => textOf(mounted.element).includes('Continue in a new window'));
    return { ...mounted, popups };
  }

  it('a Hosted Link is offered where Plaid’s script is blocked, with a retry', async () => {
    const { element, log, popups } = await withoutScript();
    expect(textOf(element)).to.contain('Try again');
    expect(await violations(element)).to.deep.equal([]);
    linkNamed(element, 'Continue in a new window').click();
    expect(popups.opened[0]?.location.href).to.equal(HOSTED);
    expect(element.status).to.equal('open');
    expect(log[0]).to.equal('fbc-error blocked');
  });

  it('that is offered asks for the text before it opens, too', async () => {
    const { element, backend, popups } = await withoutScript((server) => {
      server.authorization = { text: 'Debit me', version: '1', text_sha256: 'ab' };
    });
    linkNamed(element, 'Continue in a new window').click();
    await waitUntil(() => element.shadowRoot?.querySelector('dialog')?.open);
    expect(popups.opened).to.be.empty;
    linkNamed(element, 'Agree and continue').click();
    await reach(element, 'open');
    expect(popups.opened.map(({ location }) => location.href)).to.deep.equal([HOSTED]);
    expect(backend.linkTokenInputs.at(-1)).to.deep.include({
      mode: 'hosted',
      authorization: { accepted: true, text_sha256: 'ab' },
    });
  });
});
