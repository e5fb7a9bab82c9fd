import { aTimeout, expect, nextFrame } from '@open-wc/testing';
import { cleanUp, connect, mount, part, press, reach } from '../helpers/element.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const ACCENT = 'rgb(28, 111, 91)';

/** Where pages and libraries put an element for a time, and how they bring it back. */
const PLACES: Record<string, (element: HTMLElement) => () => void> = {
  'the content of a template': (element) => {
    const template = document.createElement('template');
    const parent = element.parentElement as HTMLElement;
    template.content.append(element);
    return () => parent.append(template.content);
  },
  'a document without a window': (element) => {
    const parent = element.parentElement as HTMLElement;
    const other = document.implementation.createHTMLDocument();
    other.body.append(element);
    return () => parent.append(element);
  },
  'a container that is not in the page': (element) => {
    const parent = element.parentElement as HTMLElement;
    document.createElement('div').append(element);
    return () => parent.append(element);
  },
  'a fragment': (element) => {
    const parent = element.parentElement as HTMLElement;
    const fragment = document.createDocumentFragment();
    fragment.append(element);
    return () => parent.append(fragment);
  },
};

describe('an element that was for a time in', () => {
  afterEach(cleanUp);

  for (const [name, leave] of Object.entries(PLACES)) {
    it(`${name}, looks and works as before`, async () => {
      const mounted = await mount();
      const { element, link } = mounted;
      await reach(element, 'ready');
      const back = leave(element);
      await aTimeout(0);
      back();
      await reach(element, 'ready');
      expect(getComputedStyle(part(element, 'button')).backgroundColor).to.equal(ACCENT);
      press(element);
      expect(element.status).to.equal('open');
      link.succeed();
      await reach(element, 'connected');
    });

    it(`${name}, keeps the bank that it has connected`, async () => {
      const form = document.createElement('form');
      const mounted = await mount({ name: 'bank' }, undefined, form);
      await connect(mounted);
      const back = leave(mounted.element);
      await aTimeout(0);
      back();
      await nextFrame();
      expect(mounted.element.status).to.equal('connected');
      expect(new FormData(form).get('bank')).to.equal('con_1');
      expect(getComputedStyle(part(mounted.element, 'account')).display).to.equal('flex');
    });
  }
});

describe('an element that the page puts into the document of a frame', () => {
  afterEach(cleanUp);

  it('has its styles there, and again in the page', async () => {
    const frame = document.createElement('iframe');
    document.body.append(frame);
    const { element } = await mount();
    await reach(element, 'ready');
    const parent = element.parentElement as HTMLElement;
    const other = frame.contentDocument as Document;
    other.body.append(element);
    await nextFrame();
    const styleThere = () => other.defaultView?.getComputedStyle(part(element, 'button')).backgroundColor;
    expect(styleThere()).to.equal(ACCENT);
    parent.append(element);
    await reach(element, 'ready');
    expect(getComputedStyle(part(element, 'button')).backgroundColor).to.equal(ACCENT);
    expect(element.shadowRoot?.querySelectorAll('style')).to.have.length(0);
    frame.remove();
  });

  it('has its styles there under a policy that asks for its nonce', async () => {
    const frame = document.createElement('iframe');
    frame.srcdoc = `<meta http-equiv="Content-Security-Policy" content="style-src 'nonce-abc'"><body></body>`;
    const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
    document.body.append(frame);
    await loaded;
    const { element } = await mount({ nonce: 'abc' });
    await reach(element, 'ready');
    const other = frame.contentDocument as Document;
    other.body.append(element);
    const styleThere = () => other.defaultView?.getComputedStyle(part(element, 'button')).backgroundColor;
    await waitUntil(() => styleThere() === ACCENT, 'the element to have its styles');
    frame.remove();
  });
});

describe('a page that writes its HTML again', () => {
  afterEach(cleanUp);

  it('has an element that begins again, with the status that it has, and without the Link of the one that is gone', async () => {
    const mounted = await mount();
    await connect(mounted);
    const parent = mounted.element.parentElement as HTMLElement;
    parent.innerHTML += '<p>Total: $40.00</p>';
    const written = parent.querySelector('finix-bank-connect') as typeof mounted.element;
    expect(written).not.to.equal(mounted.element);
    written.backend = mounted.backend;
    await written.updateComplete;
    expect(written.value).to.equal(null);
    expect(written.getAttribute('status')).to.equal(written.status);
    await reach(written, 'ready');
    expect(mounted.link.alive).to.equal(1);
    press(written);
    expect(written.status).to.equal('open');
  });

  it('and closes the Link that was open with the element that is gone', async () => {
    const mounted = await mount();
    await reach(mounted.element, 'ready');
    press(mounted.element);
    const { last } = mounted.link;
    const parent = mounted.element.parentElement as HTMLElement;
    parent.innerHTML += '<p>Total: $40.00</p>';
    await aTimeout(10);
    expect(last.destroyed).to.equal(true);
    const written = parent.querySelector('finix-bank-connect') as typeof mounted.element;
    written.backend = mounted.backend;
    await reach(written, 'ready');
    press(written);
    expect(written.status).to.equal('open');
  });
});
