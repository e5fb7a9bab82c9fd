import { aTimeout, expect, waitUntil } from '@open-wc/testing';
import type axeCore from 'axe-core';
import 'axe-core';
import { cleanUp, linkNamed, type Mounted, mount, part, press, reach, spoken, textOf } from '../helpers/element.ts';
import { refusal, session } from '../helpers/simulated-backend.ts';
import { SimulatedLink } from '../helpers/simulated-link.ts';

// The package is no ES module; as a script it leaves itself on the window.
const { axe } = globalThis as unknown as { axe: typeof axeCore };
const HOSTED = '#hosted-link';

async function violations(element: Element): Promise<string[]> {
  const found = await axe.run(element, { rules: { region: { enabled: false } } });
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`);
}

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

function asWebview(): () => void {
  const userAgent = 'Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) Chrome/147';
  Object.defineProperty(navigator, 'userAgent', { value: userAgent, configurable: true });
  return () => Reflect.deleteProperty(navigator, 'userAgent');
}

const search = ({ link }: Mounted) => {
  const last = link.searches.at(-1);
  if (!last) throw new Error('There is no embedded search');
  return last;
};
const event = (name: string) => [name, { view_name: null }] as const;
const button = ({ element }: Mounted) => element.shadowRoot?.querySelector('.main') ?? null;

describe('the embedded search', () => {
  afterEach(cleanUp);

  it('stands in the page, large enough, outside of the shadow tree', async () => {
    const mounted = await mount({ mode: 'embedded' });
    await reach(mounted.element, 'ready');
    const { place, size } = search(mounted);
    expect(place.getRootNode()).to.equal(document);
    expect(place.parentElement).to.equal(mounted.element);
    expect(Math.min(...size)).to.be.at.least(300);
    expect(Math.max(...size)).to.be.at.least(350);
    expect(button(mounted)).to.equal(null);
    expect(mounted.backend.linkTokenInputs[0]?.mode).to.equal('embedded');
    place.textContent = '';
    expect(await violations(mounted.element)).to.deep.equal([]);
  });

  it('has the states and events of a button', async () => {
    const mounted = await mount({ mode: 'embedded' });
    await reach(mounted.element, 'ready');
    const { config } = search(mounted);
    config.onEvent(...event('OPEN'));
    expect(mounted.element.status).to.equal('open');
    config.onExit(null, { status: 'requires_credentials' });
    await reach(mounted.element, 'ready');
    config.onEvent(...event('OPEN'));
    config.onSuccess('public-sandbox-1', { institution: null, accounts: [], link_session_id: 'x' });
    await reach(mounted.element, 'connected');
    expect(mounted.log).to.deep.equal([
      'fbc-open open',
      'fbc-step open',
      'fbc-canceled ready',
      'fbc-open open',
      'fbc-step open',
      'fbc-step connecting',
      'fbc-connected connected',
    ]);
    expect(search(mounted).destroyed).to.equal(true);
  });

  it('is where a press from outside leads', async () => {
    const mounted = await mount({ mode: 'embedded' });
    await reach(mounted.element, 'ready');
    mounted.element.open();
    expect(mounted.element.status).to.equal('ready');
    expect(mounted.log).to.be.empty;
  });

  it('keeps the form from being sent without a bank', async () => {
    const form = document.createElement('form');
    const mounted = await mount({ mode: 'embedded', name: 'bank', required: true }, undefined, form);
    await reach(mounted.element, 'ready');
    expect(form.checkValidity()).to.equal(false);
  });

  it('comes back after "Change"', async () => {
    const mounted = await mount({ mode: 'embedded' });
    await reach(mounted.element, 'ready');
    search(mounted).config.onEvent(...event('OPEN'));
    search(mounted).config.onSuccess('public-sandbox-1', { institution: null, accounts: [], link_session_id: 'x' });
    await reach(mounted.element, 'connected');
    linkNamed(mounted.element, 'Change').click();
    await reach(mounted.element, 'ready');
    expect(mounted.link.searches).to.have.length(2);
    expect(search(mounted).destroyed).to.equal(false);
  });

  it('gives way to a button where there is no room', async () => {
    const narrow = document.createElement('div');
    narrow.style.width = '280px';
    const mounted = await mount({ mode: 'embedded' }, undefined, narrow);
    await reach(mounted.element, 'ready');
    expect(mounted.link.searches).to.be.empty;
    expect(button(mounted)).not.to.equal(null);
    expect(mounted.backend.linkTokenInputs[0]?.mode).to.equal('button');
    press(mounted.element);
    expect(mounted.link.last.opened).to.equal(1);
  });

  for (const [how, change] of [
    ['does not have it', () => undefined],
    [
      'throws',
      () => () => {
        throw new Error('not here');
      },
    ],
  ] as const) {
    it(`gives way to a button where Plaid’s script ${how}`, async () => {
      const mounted = await mount({ mode: 'embedded' }, (backend) => {
        backend.hold = aTimeout(0).then(() => {
          const plaid = globalThis.Plaid as SimulatedLink;
          Object.assign(plaid, { createEmbedded: change() });
        });
      });
      await reach(mounted.element, 'ready');
      press(mounted.element);
      expect(mounted.link.last.opened).to.equal(1);
      expect(mounted.element.status).to.equal('open');
    });
  }

  it('gives way to a button in a webview', async () => {
    const stop = asWebview();
    const mounted = await mount({ mode: 'embedded' });
    await reach(mounted.element, 'ready');
    stop();
    expect(mounted.link.searches).to.be.empty;
    expect(mounted.backend.linkTokenInputs[0]?.mode).to.equal('button');
  });

  it('gives way to a button where Plaid refuses it', async () => {
    const mounted = await mount({ mode: 'embedded' });
    await reach(mounted.element, 'ready');
    search(mounted).config.onExit({ error_type: 'INVALID_REQUEST', error_code: 'INVALID_FIELD' }, null);
    await waitUntil(() => mounted.link.handlers.length === 1);
    await reach(mounted.element, 'ready');
    expect(search(mounted).destroyed).to.equal(true);
    press(mounted.element);
    expect(mounted.element.status).to.equal('open');
    expect(mounted.log).to.deep.equal(['fbc-open ready']);
  });
});

describe('a Hosted Link', () => {
  let stop = () => {};
  afterEach(async () => {
    stop();
    history.replaceState(null, '', location.pathname + location.search);
    await cleanUp();
  });

  async function opened(prepare: Parameters<typeof mount>[1] = () => {}) {
    const popups = windows();
    stop = popups.stop;
    const mounted = await mount({ mode: 'hosted' }, (backend) => {
      backend.hostedLinkUrl = HOSTED;
      prepare(backend);
    });
    await reach(mounted.element, 'ready');
    press(mounted.element);
    const [popup] = popups.opened;
    if (!popup) throw new Error('No window was opened');
    return { ...mounted, popup, popups: popups.opened };
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
    popup.closed = true;
    await reach(element, 'ready');
    expect(log.at(-1)).to.equal('fbc-canceled ready');
    for (let i = 0; i < 3; i++) backend.sessionAnswers.push(session('completed', ['active']));
    await reach(element, 'connected');
  });

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
    linkNamed(element, 'I agree').click();
    await reach(element, 'connected');
    expect(backend.completed[0]?.input).to.deep.include({
      public_token: 'hosted',
      authorization: { accepted: true, text_sha256: 'ab' },
    });
  });

  it('takes the place of the page where no window opens, with an address to come back to', async () => {
    const popups = windows(true);
    stop = popups.stop;
    const { element, backend } = await mount({ mode: 'hosted' }, (server) => {
      server.hostedLinkUrl = HOSTED;
    });
    await reach(element, 'ready');
    press(element);
    await waitUntil(() => location.hash === HOSTED);
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
    expect(location.hash).to.equal(HOSTED);
    expect(link.handlers).to.be.empty;
  });

  it('is offered where Plaid’s script is blocked, beside another try', async () => {
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
      queueMicrotask(() => SimulatedLink.remove());
    });
    const { element, log } = mounted;
    await reach(element, 'blocked');
    await waitUntil(() => textOf(element).includes('Continue in a new window'));
    expect(textOf(element)).to.contain('Try again');
    expect(await violations(element)).to.deep.equal([]);
    linkNamed(element, 'Continue in a new window').click();
    expect(popups.opened[0]?.location.href).to.equal(HOSTED);
    expect(element.status).to.equal('open');
    expect(log[0]).to.equal('fbc-error blocked');
  });
});

describe('a repair', () => {
  afterEach(cleanUp);

  it('names the bank to sign in to again, and ends connected', async () => {
    const repair = { ...session('open', ['needs_repair']), mode: 'repair' as const };
    const mounted = await mount({ clientSecret: 'ses_1_secret_x', mode: 'embedded' }, (backend) => {
      backend.sessionAnswers.push(repair);
    });
    await reach(mounted.element, 'ready');
    expect(part(mounted.element, 'label').textContent).to.contain('Reconnect Chase ••1234');
    expect(textOf(mounted.element)).to.contain('asks you to sign in again');
    // Plaid has no embedded search for a repair.
    expect(mounted.link.searches).to.be.empty;
    press(mounted.element);
    mounted.link.succeed();
    await reach(mounted.element, 'connected');
    expect(spoken(mounted.element)).to.contain('Chase ••1234 is connected');
  });
});

describe('an agreement', () => {
  afterEach(cleanUp);

  it('can be kept as a copy, and says how it is taken back', async () => {
    const authorization = { text: 'Debit me: 100 % of “this”', version: '2026-11', text_sha256: 'ab12' };
    const mounted = await mount({}, (backend) => {
      const error = { code: 'authorization_required', action: 'retry', retryable: true, authorization } as const;
      backend.completeAnswers.push(refusal(error));
    });
    await reach(mounted.element, 'ready');
    press(mounted.element);
    mounted.link.succeed();
    await waitUntil(() => mounted.element.shadowRoot?.querySelector('dialog')?.open);
    const copy = mounted.element.shadowRoot?.querySelector<HTMLAnchorElement>('a[download]');
    const kept = await (await fetch(copy?.href ?? '')).text();
    expect(kept).to.contain(authorization.text);
    expect(kept).to.contain('ab12');
    expect(textOf(mounted.element)).to.contain('take this back at any time');
  });
});
