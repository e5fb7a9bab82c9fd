import { expect } from '@open-wc/testing';
import { cleanUp, connect, linkNamed, type Mounted, mount, part, press, reach } from '../helpers/element.ts';
import { refusal, session } from '../helpers/simulated-backend.ts';
import { waitUntil } from '../helpers/wait-until.ts';

/** The page keeps Link closed. */
function keepClosed({ element }: Mounted): () => void {
  const refuse = (event: Event) => event.preventDefault();
  element.addEventListener('fbc-open', refuse);
  return () => element.removeEventListener('fbc-open', refuse);
}

const asked = ({ log }: Mounted) => log.filter((entry) => entry.startsWith('fbc-open'));

/** Windows for a Hosted Link, kept from the browser. */
function windows() {
  const opened: string[] = [];
  const { open } = window;
  window.open = () => {
    opened.push('window');
    return { closed: false, opener: null, location: { href: '' }, focus() {}, close() {} } as unknown as Window;
  };
  return { opened, stop: () => (window.open = open) };
}

describe('fbc-open', () => {
  let stop = () => {};
  afterEach(async () => {
    stop();
    await cleanUp();
  });

  it('comes before Link opens, and keeps it closed when it is prevented', async () => {
    const mounted = await mount();
    await reach(mounted.element, 'ready');
    const allow = keepClosed(mounted);
    press(mounted.element);
    expect(mounted.element.status).to.equal('ready');
    expect(mounted.link.last.opened).to.equal(0);
    allow();
    press(mounted.element);
    expect(mounted.link.last.opened).to.equal(1);
    expect(asked(mounted)).to.deep.equal(['fbc-open ready', 'fbc-open ready']);
  });

  it('comes before "Change" opens Link, and keeps the bank when it is prevented', async () => {
    const mounted = await mount();
    await connect(mounted);
    let changes = 0;
    mounted.element.addEventListener('change', () => changes++);
    const allow = keepClosed(mounted);
    linkNamed(mounted.element, 'Change').click();
    await mounted.element.updateComplete;
    expect(mounted.element.status).to.equal('connected');
    expect(mounted.element.value).to.equal('con_1');
    expect(changes).to.equal(0);
    allow();
    linkNamed(mounted.element, 'Change').click();
    await reach(mounted.element, 'open');
    expect(changes).to.equal(1);
    expect(asked(mounted)).to.deep.equal(['fbc-open ready', 'fbc-open connected', 'fbc-open connected']);
  });

  it('comes before a connection that needs repair is repaired, and keeps it when it is prevented', async () => {
    const mounted = await mount({}, ({ completeAnswers }) =>
      completeAnswers.push(session('completed', ['needs_repair'])),
    );
    await connect(mounted, 'needs_repair');
    const allow = keepClosed(mounted);
    part(mounted.element, 'button').click();
    expect(mounted.element.status).to.equal('needs_repair');
    allow();
    part(mounted.element, 'button').click();
    await reach(mounted.element, 'open');
    expect(asked(mounted)).to.have.length(3);
  });

  it('comes before Link opens again after an error', async () => {
    const mounted = await mount();
    await reach(mounted.element, 'ready');
    press(mounted.element);
    mounted.link.exit('INVALID_CREDENTIALS');
    await reach(mounted.element, 'error');
    await waitUntil(() => mounted.link.handlers.length === 2);
    const allow = keepClosed(mounted);
    press(mounted.element);
    expect(mounted.element.status).to.equal('error');
    allow();
    press(mounted.element);
    await reach(mounted.element, 'open');
    expect(asked(mounted)).to.have.length(3);
  });

  it('comes before a Hosted Link is offered in a window, which stays closed when it is prevented', async () => {
    const popups = windows();
    stop = popups.stop;
    const mounted = await mount({}, (backend) => {
      backend.hostedLinkUrl = `${location.href}#hosted`;
      backend.linkTokenErrors.push(refusal({ code: 'script_blocked', action: 'retry' }));
    });
    await reach(mounted.element, 'blocked');
    await waitUntil(() => mounted.element.shadowRoot?.textContent?.includes('Continue in a new window'));
    const allow = keepClosed(mounted);
    linkNamed(mounted.element, 'Continue in a new window').click();
    expect(mounted.element.status).to.equal('blocked');
    expect(popups.opened).to.be.empty;
    allow();
    linkNamed(mounted.element, 'Continue in a new window').click();
    expect(mounted.element.status).to.equal('open');
    expect(popups.opened).to.have.length(1);
    expect(asked(mounted)).to.have.length(2);
  });

  it('comes again after the customer has agreed, where Link opens only then', async () => {
    const popups = windows();
    stop = popups.stop;
    const mounted = await mount({ mode: 'hosted' }, (backend) => {
      backend.hostedLinkUrl = `${location.href}#hosted`;
      backend.authorization = { text: 'Acme may debit your account.', version: '1', text_sha256: 'ab'.repeat(32) };
    });
    const isAsking = () => mounted.element.shadowRoot?.querySelector('dialog')?.open;
    await reach(mounted.element, 'ready');
    press(mounted.element);
    await waitUntil(isAsking);
    const allow = keepClosed(mounted);
    linkNamed(mounted.element, 'Agree and continue').click();
    await waitUntil(() => !isAsking());
    await reach(mounted.element, 'ready');
    expect(popups.opened).to.be.empty;
    allow();
    press(mounted.element);
    await waitUntil(isAsking);
    linkNamed(mounted.element, 'Agree and continue').click();
    await reach(mounted.element, 'open');
    expect(popups.opened).to.have.length(1);
    expect(asked(mounted)).to.have.length(4);
  });
});
