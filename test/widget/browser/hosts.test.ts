import { aTimeout, expect, nextFrame } from '@open-wc/testing';
import { Idiomorph } from 'idiomorph/dist/idiomorph.esm.js';
import morphdom from 'morphdom';
import type { ConnectBackend, FinixBankConnect } from '../../../widget/index.ts';
import { cleanUp, connect, type Mounted, mount, part, press, reach } from '../helpers/element.ts';
import { SimulatedBackend, session } from '../helpers/simulated-backend.ts';
import { waitUntil } from '../helpers/wait-until.ts';

/** How pages bring their HTML up to date, with what their server has rendered. */
const MORPHS: Record<string, (from: Element, html: string) => void> = {
  morphdom: (from, html) => void morphdom(from, html),
  idiomorph: (from, html) => void Idiomorph.morph(from, html, { morphStyle: 'outerHTML' }),
  'attributes taken one by one': (from) => {
    for (const { name } of [...from.attributes]) if (name === 'status') from.removeAttribute(name);
  },
};

/** A backend that answers as another one does, in a new object. */
const copyOf = (backend: SimulatedBackend): ConnectBackend => ({
  createPublicSession: (input) => backend.createPublicSession(input),
  createLinkToken: (secret, input) => backend.createLinkToken(secret, input),
  complete: (secret, input) => backend.complete(secret, input),
  getSession: (secret) => backend.getSession(secret),
});

const inEmbedded = { mode: 'embedded' } as const;
const searches = ({ link }: Mounted) => link.searches.filter(({ destroyed }) => !destroyed);

describe('a host that renders again', () => {
  afterEach(cleanUp);

  /** Every property that a host may set, with equal values that are not the same ones. */
  function renderAgain({ element, backend }: Mounted): void {
    Object.assign(element, {
      backend: copyOf(backend),
      fetchClientSecret: () => Promise.resolve('ses_1_secret_again'),
      strings: { connect: 'Pay by bank' },
      mode: 'button',
      name: 'bank',
      required: true,
      disabled: false,
      firstName: 'Ada',
      lastName: '',
      email: undefined,
      nonce: '',
    } satisfies Partial<Record<keyof FinixBankConnect, unknown>>);
  }

  async function rendered(prepare?: Parameters<typeof mount>[1]) {
    const mounted = await mount({ fetchClientSecret: async () => 'ses_1_secret_first' }, prepare);
    renderAgain(mounted);
    await reach(mounted.element, 'ready');
    return mounted;
  }
  const again = async (mounted: Mounted) => {
    for (let i = 0; i < 3; i++) {
      renderAgain(mounted);
      await mounted.element.updateComplete;
    }
    await aTimeout(20);
  };

  it('prepares nothing again', async () => {
    const mounted = await rendered();
    await again(mounted);
    expect(mounted.element.status).to.equal('ready');
    expect(mounted.backend.tokens + mounted.link.handlers.length).to.equal(2);
  });

  it('closes no Link that is open, in answer to any of its events', async () => {
    const mounted = await rendered();
    for (const name of ['fbc-open', 'fbc-step', 'fbc-connected'] as const) {
      mounted.element.addEventListener(name, () => renderAgain(mounted));
    }
    press(mounted.element);
    mounted.link.last.config.onEvent('OPEN', null);
    await again(mounted);
    expect(mounted.element.status).to.equal('open');
    expect(mounted.link.last.destroyed).to.equal(false);
    mounted.link.succeed();
    await reach(mounted.element, 'connected');
    await again(mounted);
    expect(mounted.element.status).to.equal('connected');
    expect(mounted.element.value).to.equal('con_1');
    expect(mounted.log.filter((entry) => entry.startsWith('fbc-canceled'))).to.be.empty;
  });

  it('forgets no bank that is connecting', async () => {
    let answer = (_: ReturnType<typeof session>) => {};
    const mounted = await rendered(({ completeAnswers }) => {
      completeAnswers.push(new Promise((resolve) => (answer = resolve)));
    });
    press(mounted.element);
    mounted.link.succeed();
    await again(mounted);
    expect(mounted.element.status).to.equal('connecting');
    answer(session('completed', ['active']));
    await reach(mounted.element, 'connected');
  });

  it('has its newest function and its newest backend asked at the next need', async () => {
    const mounted = await rendered();
    const backend = new SimulatedBackend();
    Object.assign(mounted.element, { backend, fetchClientSecret: async () => 'ses_2_secret_newest' });
    mounted.element.reset();
    await reach(mounted.element, 'ready');
    expect(backend.calls).to.deep.equal(['createLinkToken ses_2_secret_newest']);
  });

  for (const [what, change] of [
    ['a client secret appears', (element) => (element.clientSecret = 'ses_9_secret_other')],
    ['its function disappears', (element) => (element.fetchClientSecret = null)],
  ] as [string, (element: FinixBankConnect) => void][]) {
    it(`starts over where ${what}`, async () => {
      const mounted = await rendered();
      change(mounted.element);
      await waitUntil(() => mounted.backend.tokens === 2);
      await reach(mounted.element, 'ready');
    });
  }

  it('writes the same values in other words, and starts nothing over', async () => {
    const mounted = await mount({ clientSecret: 'ses_1_secret_a', endpoint: 'https://connect.example/' });
    await reach(mounted.element, 'ready');
    Object.assign(mounted.element, {
      clientSecret: ' ses_1_secret_a ',
      endpoint: 'https://connect.example',
      firstName: 'Ada',
    });
    await mounted.element.updateComplete;
    await aTimeout(20);
    expect(mounted.backend.tokens).to.equal(1);
  });

  it('asks for one session, however often it is prepared while that is on its way', async () => {
    let give = (_: string) => {};
    let asked = 0;
    const { element } = await mount({
      lang: 'de',
      fetchClientSecret: () => {
        asked++;
        return new Promise((resolve) => (give = resolve));
      },
    });
    await waitUntil(() => asked === 1);
    for (const lang of ['fr', 'es', 'en']) {
      element.lang = lang;
      await element.updateComplete;
    }
    await aTimeout(20);
    give('ses_1_secret_a');
    await reach(element, 'ready');
    expect(asked).to.equal(1);
  });
});

describe('a host that morphs its page', () => {
  afterEach(cleanUp);

  for (const [name, morph] of Object.entries(MORPHS)) {
    it(`keeps a connected bank, its attribute and its value: ${name}`, async () => {
      const form = document.createElement('form');
      const mounted = await mount({}, undefined, form);
      mounted.element.setAttribute('name', 'bank');
      await connect(mounted);
      morph(mounted.element, '<finix-bank-connect name="bank" class="next"></finix-bank-connect>');
      await nextFrame();
      await nextFrame();
      expect(mounted.element.isConnected).to.equal(true);
      expect(mounted.element.getAttribute('status')).to.equal('connected');
      expect(mounted.element.matches('[status=connected]')).to.equal(true);
      expect(new FormData(form).get('bank')).to.equal('con_1');
    });

    it(`keeps Link open: ${name}`, async () => {
      const mounted = await mount({ name: null });
      await reach(mounted.element, 'ready');
      press(mounted.element);
      morph(mounted.element, '<finix-bank-connect></finix-bank-connect>');
      await nextFrame();
      expect(mounted.element.status).to.equal('open');
      expect(mounted.link.last.destroyed).to.equal(false);
    });
  }

  it('is not answered more than once for each frame, however often it takes the attribute away', async () => {
    const mounted = await mount();
    await connect(mounted);
    let writes = 0;
    const observer = new MutationObserver(() => {
      if (!mounted.element.hasAttribute('status')) return;
      writes++;
      mounted.element.removeAttribute('status');
    });
    observer.observe(mounted.element, { attributeFilter: ['status'] });
    mounted.element.removeAttribute('status');
    const start = performance.now();
    for (let frames = 0; frames < 10; frames++) await nextFrame();
    observer.disconnect();
    expect(performance.now() - start).to.be.below(5_000);
    expect(writes).to.be.within(1, 12);
  });

  it('may set the attribute to something else, which does not stay', async () => {
    const mounted = await mount();
    await connect(mounted);
    mounted.element.setAttribute('status', 'error');
    await waitUntil(() => mounted.element.getAttribute('status') === 'connected');
    expect(mounted.element.status).to.equal('connected');
  });
});

describe('a host that owns the element’s children', () => {
  afterEach(cleanUp);

  const waysOut: [string, (element: HTMLElement) => void][] = [
    ['takes them all', (element) => element.replaceChildren()],
    ['writes innerHTML', (element) => (element.innerHTML = '<span slot="label">Pay by bank</span>')],
    ['writes textContent', (element) => (element.textContent = '')],
    ['empties the search', (element) => element.querySelector('[slot=embedded]')?.replaceChildren()],
    ['moves the search away', (element) => document.body.append(element.querySelector('[slot=embedded]') as Element)],
    [
      'morphs them (morphdom)',
      (element) => MORPHS['morphdom']?.(element, element.outerHTML.replace(/<div.*<\/div>/s, '')),
    ],
  ];
  for (const [what, act] of waysOut) {
    it(`and ${what} finds the embedded search back`, async () => {
      const mounted = await mount(inEmbedded);
      await reach(mounted.element, 'ready');
      act(mounted.element);
      await waitUntil(() => mounted.link.searches.length === 2);
      await reach(mounted.element, 'ready');
      const [search] = searches(mounted);
      expect(search?.place.parentElement).to.equal(mounted.element);
      expect(search?.place.childElementCount).to.equal(1);
      expect(searches(mounted)).to.have.length(1);
      document.querySelector('body > [slot=embedded]')?.remove();
    });
  }

  it('a host that removes the embedded search every time gets a button instead', async () => {
    const mounted = await mount(inEmbedded);
    new MutationObserver(() => mounted.element.replaceChildren()).observe(mounted.element, { childList: true });
    await waitUntil(() => mounted.element.shadowRoot?.querySelector('.main') && mounted.element.status === 'ready');
    press(mounted.element);
    expect(mounted.element.status).to.equal('open');
    expect(mounted.link.last.opened).to.equal(1);
    expect(mounted.link.searches.length).to.be.at.most(4);
  });

  it('and takes the search away while Link is open lets the customer go on, and finds it back afterwards', async () => {
    const mounted = await mount(inEmbedded);
    await reach(mounted.element, 'ready');
    const [search] = searches(mounted);
    search?.config.onEvent('OPEN', null);
    mounted.element.replaceChildren();
    await aTimeout(20);
    expect(mounted.element.status).to.equal('open');
    expect(search?.destroyed).to.equal(false);
    search?.config.onExit(null, null);
    await waitUntil(() => mounted.link.searches.length === 2);
    await reach(mounted.element, 'ready');
    expect(mounted.log).to.include.members(['fbc-canceled loading']);
  });

  it('and moves the element finds a search that works, because a frame begins again where it is put', async () => {
    const mounted = await mount(inEmbedded);
    await reach(mounted.element, 'ready');
    mounted.element.parentElement?.after(mounted.element);
    await waitUntil(() => mounted.link.searches.length === 2);
    await reach(mounted.element, 'ready');
    expect(searches(mounted)).to.have.length(1);
    mounted.element.remove();
  });

  it('and moves the element whole keeps the search', async function () {
    const box = document.createElement('section') as HTMLElement & { moveBefore?(node: Node, child: null): void };
    if (!box.moveBefore) return this.skip();
    const mounted = await mount(inEmbedded);
    await reach(mounted.element, 'ready');
    mounted.element.parentElement?.after(box);
    box.moveBefore(mounted.element, null);
    await aTimeout(50);
    expect(mounted.link.searches).to.have.length(1);
    expect(searches(mounted)).to.have.length(1);
    box.remove();
  });

  it('keeps its slots, also when they come and go', async () => {
    const mounted = await mount();
    await reach(mounted.element, 'ready');
    mounted.element.innerHTML = '<span slot="label">Pay by bank</span>';
    press(mounted.element);
    mounted.element.replaceChildren();
    mounted.link.succeed();
    await reach(mounted.element, 'connected');
    mounted.element.innerHTML = '<b slot="connected">Your bank</b>';
    expect(
      part(mounted.element, 'base').querySelector<HTMLSlotElement>('slot[name=connected]')?.assignedElements(),
    ).to.have.length(1);
  });
});

describe('a copy of the element', () => {
  afterEach(cleanUp);

  it('made while it was connected begins as what it is', async () => {
    const original = await mount();
    await connect(original);
    const copy = original.element.cloneNode(true) as FinixBankConnect;
    copy.backend = original.backend;
    original.element.replaceWith(copy);
    await copy.updateComplete;
    expect(copy.getAttribute('status')).to.equal(copy.status);
    expect(copy.value).to.equal(null);
    await reach(copy, 'ready');
    expect(copy.getAttribute('status')).to.equal('ready');
  });

  it('made with its search has one that works', async () => {
    const original = await mount(inEmbedded);
    original.element.setAttribute('mode', 'embedded');
    await reach(original.element, 'ready');
    const copy = original.element.cloneNode(true) as FinixBankConnect;
    copy.backend = original.backend;
    original.element.replaceWith(copy);
    await reach(copy, 'ready');
    expect(copy.querySelectorAll('[slot=embedded]')).to.have.length(1);
    expect(copy.querySelector('[slot=embedded]')?.childElementCount).to.equal(1);
  });

  it('that comes back out of a page’s cache goes on', async () => {
    const mounted = await mount();
    await reach(mounted.element, 'ready');
    const parent = mounted.element.parentElement as HTMLElement;
    const page = document.createRange();
    page.selectNode(mounted.element);
    const cached = page.extractContents();
    await aTimeout(0);
    parent.append(cached);
    await reach(mounted.element, 'ready');
    press(mounted.element);
    expect(mounted.element.status).to.equal('open');
  });
});
