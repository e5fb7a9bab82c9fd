import { aTimeout, expect } from '@open-wc/testing';
import { violations } from '../helpers/axe.ts';
import { cleanUp, linkNamed, type Mounted, mount, part, press, reach, spoken, textOf } from '../helpers/element.ts';
import { connection, session } from '../helpers/simulated-backend.ts';
import type { SimulatedLink } from '../helpers/simulated-link.ts';
import { waitUntil } from '../helpers/wait-until.ts';
import { asWebview } from '../helpers/webview.ts';

const search = ({ link }: Mounted) => {
  const last = link.searches.at(-1);
  if (!last) throw new Error('There is no embedded search');
  return last;
};
const event = (name: string) => [name, { view_name: null }] as const;
const button = ({ element }: Mounted) => element.shadowRoot?.querySelector('.main') ?? null;

describe('the embedded search', () => {
  afterEach(cleanUp);

  it('the embedded search is in the page, large enough, outside of the shadow tree', async () => {
    const mounted = await mount({ mode: 'embedded' });
    await reach(mounted.element, 'ready');
    const { place, size } = search(mounted);
    expect(place.getRootNode()).to.equal(document);
    expect(place.parentElement).to.equal(mounted.element);
    expect(Math.min(...size)).to.be.at.least(300);
    expect(Math.max(...size)).to.be.at.least(350);
    expect(button(mounted)).to.equal(null);
    expect(mounted.backend.linkTokenInputs[0]?.mode).to.equal('embedded');
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

  it('open() leads to the embedded search, and does not open Link', async () => {
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

  it('can not be used while the element is disabled', async () => {
    const mounted = await mount({ mode: 'embedded', disabled: true });
    await reach(mounted.element, 'ready');
    const { place } = search(mounted);
    const find = place.querySelector('button') as HTMLElement;
    const reached = () => {
      const { left, top } = find.getBoundingClientRect();
      find.focus();
      const byKeyboard = document.activeElement === find;
      find.blur();
      return [byKeyboard, place.contains(document.elementFromPoint(left + 2, top + 2))];
    };
    expect(reached()).to.deep.equal([false, false]);
    mounted.element.disabled = false;
    await waitUntil(() => reached().every(Boolean));
    mounted.element.disabled = true;
    await waitUntil(() => !reached().some(Boolean));
    expect(mounted.link.searches).to.have.length(1);
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

  it('the embedded search is replaced by a button where there is no space', async () => {
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

describe('a repair', () => {
  afterEach(cleanUp);

  it('is recognized where the page gets its session with the link token, without another request', async () => {
    const fetchClientSecret = async () => 'ses_1_secret_x';
    const mounted = await mount({ fetchClientSecret, mode: 'embedded' }, (backend) => {
      backend.repair = connection('con_1', 'needs_repair');
      backend.returned = true;
    });
    const { element, backend, link } = mounted;
    await reach(element, 'ready');
    expect(part(element, 'label').textContent).to.contain('Reconnect Chase ••1234');
    expect(textOf(element)).to.contain('A payment with this account was returned. Sign in to your bank again');
    expect(link.searches).to.be.empty;
    expect(backend.calls).to.deep.equal(['createLinkToken ses_1_secret_x']);
    press(element);
    link.succeed();
    await reach(element, 'connected');
    backend.repair = undefined;
    backend.returned = false;
    linkNamed(element, 'Change').click();
    await reach(element, 'ready');
    expect(textOf(element)).not.to.contain('Reconnect');
    expect(link.searches).to.have.length(1);
  });

  it('names the bank to sign in to again, and ends connected', async () => {
    const repair = { ...session('open', ['needs_repair']), mode: 'repair' as const };
    const mounted = await mount({ clientSecret: 'ses_1_secret_x', mode: 'embedded' }, (backend) => {
      backend.sessionAnswers.push(repair);
    });
    await reach(mounted.element, 'ready');
    expect(part(mounted.element, 'label').textContent).to.contain('Reconnect Chase ••1234');
    expect(textOf(mounted.element)).to.contain('Sign in to your bank again');
    // Plaid has no embedded search for a repair.
    expect(mounted.link.searches).to.be.empty;
    press(mounted.element);
    mounted.link.succeed();
    await reach(mounted.element, 'connected');
    expect(spoken(mounted.element)).to.contain('Chase ••1234 is connected');
  });
});
