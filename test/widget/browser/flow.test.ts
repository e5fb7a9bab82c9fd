import { expect, oneEvent } from '@open-wc/testing';
import {
  cleanUp,
  connect,
  linkNamed,
  mount,
  part,
  press,
  reach,
  reachQuestion,
  spoken,
  textOf,
} from '../helpers/element.ts';
import { refusal, session } from '../helpers/simulated-backend.ts';
import { account } from '../helpers/simulated-link.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const secret = 'ses_1_secret_abc';

describe('connecting a bank', () => {
  afterEach(cleanUp);

  it('goes from the button to a connected account', async () => {
    const mounted = await mount({ clientSecret: secret });
    await connect(mounted);
    const { element, backend, log, link } = mounted;
    expect(part(element, 'account').textContent?.replace(/\s+/g, ' ')).to.contain('Chase ••1234');
    expect(backend.completed[0]?.secret).to.equal(secret);
    expect(backend.completed[0]?.input).to.deep.equal({
      public_token: 'public-sandbox-1',
      accounts: [
        {
          id: 'acc_1',
          name: 'Plaid Checking',
          mask: '1234',
          type: 'depository',
          subtype: 'checking',
          verification_status: 'automatically_verified',
        },
      ],
      institution: { institution_id: 'ins_56', name: 'Chase' },
      link_session_id: 'link-session-1',
    });
    expect(log).to.deep.equal(['fbc-open ready', 'fbc-step connecting', 'fbc-connected connected']);
    await waitUntil(() => link.alive === 0, 'the handler to be destroyed');
  });

  it('opens Link within the click, without asking the server anything', async () => {
    const { element, backend, link } = await mount();
    await reach(element, 'ready');
    const before = backend.calls.length;
    press(element);
    expect(link.last.opened).to.equal(1);
    expect(element.status).to.equal('open');
    expect(backend.calls.length).to.equal(before);
  });

  it('opens Link by itself when the customer pressed before it was ready', async () => {
    let release = () => {};
    const { element, link } = await mount({}, (backend) => {
      backend.hold = new Promise((resolve) => {
        release = resolve;
      });
    });
    press(element);
    await waitUntil(() => spoken(element) === 'Opening…');
    release();
    await reach(element, 'open');
    expect(link.last.opened).to.equal(1);
  });

  it('stays closed when the page prevents fbc-open', async () => {
    const { element, link } = await mount();
    await reach(element, 'ready');
    element.addEventListener('fbc-open', (event) => event.preventDefault());
    press(element);
    expect(link.last.opened).to.equal(0);
    expect(element.status).to.equal('ready');
  });

  it('the element is ready again when the customer leaves Link, and reports where they left', async () => {
    const { element, link, log, details, backend } = await mount();
    await reach(element, 'ready');
    press(element);
    link.exit();
    expect(element.status).to.equal('ready');
    expect(log.at(-1)).to.equal('fbc-canceled ready');
    expect(details.at(-1)).to.deep.equal({
      step: 'requires_credentials',
      requestId: null,
      linkSessionId: null,
      institution: null,
    });
    press(element);
    expect(link.last.opened).to.equal(2);
    expect(backend.tokens).to.equal(1);
  });

  for (const asks of [false, true]) {
    it(`reset() ends ${asks ? 'a question' : 'Link'} with fbc-canceled, once, in whose listener Link may open again`, async () => {
      const mounted = await mount({}, ({ completeAnswers }) => {
        const accounts = ['a', 'b'].map((id) => ({ id, name: id, mask: id, subtype: 'checking' }));
        if (!asks) return;
        completeAnswers.push(refusal({ code: 'account_selection_required', action: 'choose_account', accounts }));
      });
      const { element, link, log, details } = mounted;
      await reach(element, 'ready');
      press(element);
      if (asks) await reachQuestion(mounted);
      element.addEventListener('fbc-canceled', () => element.open(), { once: true });
      element.reset();
      const canceled = log.findIndex((line) => line.startsWith('fbc-canceled'));
      expect(log[canceled]).to.equal('fbc-canceled loading');
      expect(details[canceled]).to.deep.equal({
        step: 'reset',
        requestId: null,
        linkSessionId: null,
        institution: null,
      });
      await reach(element, 'open');
      expect(log.filter((line) => line.startsWith('fbc-canceled'))).to.have.length(1);
      link.succeed();
      await reach(element, 'connected');
      element.reset();
      expect(log.filter((line) => line.startsWith('fbc-canceled'))).to.have.length(1);
    });
  }

  it('gets a fresh link token by itself when the old one was spoiled, and opens Link again', async () => {
    const { element, link, log } = await mount();
    await reach(element, 'ready');
    press(element);
    link.exit('INVALID_LINK_TOKEN', null, 'INVALID_INPUT');
    await waitUntil(() => link.handlers.length === 2 && link.last.opened === 1);
    expect(element.status).to.equal('open');
    expect(link.handlers[0]?.destroyed).to.equal(true);
    expect(log).not.to.include('fbc-error error');
  });

  it('waits for a server that needs longer', async () => {
    const mounted = await mount({}, (backend) => {
      backend.completeAnswers.push(session('processing'));
      backend.sessionAnswers.push(session('processing'), session('completed', ['active']));
    });
    await connect(mounted);
    expect(mounted.backend.calls.filter((call) => call.startsWith('getSession')).length).to.equal(2);
  });

  it('cuts names to what the server takes, between characters', async () => {
    const { element, link, backend } = await mount();
    await reach(element, 'ready');
    press(element);
    link.succeed('public-sandbox-1', {
      institution: { institution_id: 'ins_1', name: 'B'.repeat(300) },
      accounts: [account('acc_1', `${'a'.repeat(254)}🏦${'a'.repeat(50)}`, '1234')],
    });
    await reach(element, 'connected');
    const { accounts, institution } = backend.completed[0]?.input ?? {};
    expect(accounts?.[0]?.name).to.equal('a'.repeat(254));
    expect(institution?.name).to.equal('B'.repeat(255));
  });

  it('changes the bank through another session, and removes it on request', async () => {
    const mounted = await mount();
    await connect(mounted);
    const { element, backend, link } = mounted;
    const changed = oneEvent(element, 'change');
    linkNamed(element, 'Change').click();
    await changed;
    expect(element.value).to.equal(null);
    await reach(element, 'open');
    expect(backend.publicSessions).to.equal(2);
    link.succeed('public-sandbox-2');
    await reach(element, 'connected');
    linkNamed(element, 'Remove').click();
    expect(element.value).to.equal(null);
    expect(element.connections).to.be.empty;
  });

  it('puts no token and no secret into events, attributes or text', async () => {
    const mounted = await mount({ fetchClientSecret: async () => secret });
    const { element, link, details } = mounted;
    await reach(element, 'ready');
    press(element);
    link.last.config.onEvent('SUBMIT_ROUTING_NUMBER', { view_name: 'NUMBERS', routing_number: '021000021' } as object);
    link.succeed();
    await reach(element, 'connected');
    const seen = JSON.stringify(details) + element.outerHTML + textOf(element) + document.documentElement.innerHTML;
    for (const word of ['public-sandbox', 'link-sandbox', '_secret_', '021000021']) expect(seen).not.to.contain(word);
    expect(details).to.deep.include({ step: 'submit_routing_number' });
  });

  it('ignores a second success', async () => {
    const mounted = await mount();
    await connect(mounted);
    mounted.link.succeed();
    expect(mounted.backend.completed.length).to.equal(1);
  });

  it('speaks the language of the page', async () => {
    const parent = document.createElement('div');
    parent.lang = 'es-MX';
    const { element } = await mount({}, undefined, parent);
    await reach(element, 'ready');
    expect(textOf(element)).to.contain('Conectar su banco');
  });
});
