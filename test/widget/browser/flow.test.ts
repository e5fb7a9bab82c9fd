import { expect, oneEvent, waitUntil } from '@open-wc/testing';
import { cleanUp, connect, linkNamed, mount, part, press, reach, spoken, textOf } from '../helpers/element.ts';
import { refusal, session } from '../helpers/simulated-backend.ts';
import { account } from '../helpers/simulated-link.ts';

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

  it('is ready again when the customer leaves Link, and says where they left', async () => {
    const { element, link, log, details, backend } = await mount();
    await reach(element, 'ready');
    press(element);
    link.exit();
    expect(element.status).to.equal('ready');
    expect(log.at(-1)).to.equal('fbc-canceled ready');
    expect(details.at(-1)).to.deep.equal({ step: 'requires_credentials' });
    press(element);
    expect(link.last.opened).to.equal(2);
    expect(backend.tokens).to.equal(1);
  });

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

  it('says that a bank is down, and opens Link at once for another', async () => {
    const { element, link, details } = await mount();
    await reach(element, 'ready');
    press(element);
    link.exit('INSTITUTION_DOWN', null, 'INSTITUTION_ERROR');
    await reach(element, 'error');
    expect(element.error?.code).to.equal('bank_unavailable');
    expect(details.at(-1)).to.deep.equal({ error: element.error });
    expect(part(element, 'error').textContent).to.equal(element.error?.message);
    await waitUntil(() => link.handlers.length === 2);
    part(element, 'retry').click();
    expect(link.last.opened).to.equal(1);
  });

  it('asks which account, and sends the same public token again', async () => {
    const accounts = ['a', 'b'].map((id) => ({ id, name: id, mask: id, subtype: 'checking' }));
    const mounted = await mount({}, ({ completeAnswers }) =>
      completeAnswers.push(refusal({ code: 'account_selection_required', action: 'choose_account', accounts })),
    );
    const { element, backend, link, log } = mounted;
    await reach(element, 'ready');
    press(element);
    link.succeed();
    const root = element.shadowRoot as ShadowRoot;
    await waitUntil(() => root.querySelector('dialog')?.open);
    expect(log).to.include('fbc-step connecting');
    root.querySelector<HTMLInputElement>('input[value="b"]')?.click();
    linkNamed(element, 'Use this account').click();
    await reach(element, 'connected');
    expect(
      backend.completed.map(({ input }) => [input.public_token, input.accounts.map(({ id }) => id)]),
    ).to.deep.equal([
      ['public-sandbox-1', ['acc_1']],
      ['public-sandbox-1', ['b']],
    ]);
    expect(root.querySelector('dialog')?.open).to.equal(false);
  });

  it('shows the text to agree to, and sends the same public token again with its hash', async () => {
    const authorization = { text: 'Northwind may debit your account.', version: '1', text_sha256: 'ab'.repeat(32) };
    const { element, backend, link } = await mount({}, ({ completeAnswers }) =>
      completeAnswers.push(refusal({ code: 'authorization_required', action: 'retry', authorization })),
    );
    await reach(element, 'ready');
    press(element);
    link.succeed();
    await waitUntil(() => element.shadowRoot?.querySelector('dialog')?.open);
    expect(textOf(element)).to.contain(authorization.text);
    linkNamed(element, 'I agree').click();
    await reach(element, 'connected');
    expect(backend.completed[1]?.input).to.deep.include({
      public_token: 'public-sandbox-1',
      authorization: { accepted: true, text_sha256: authorization.text_sha256 },
    });
  });

  it('takes Escape in a question for a no', async () => {
    const authorization = { text: 'x', version: '1', text_sha256: 'ab' };
    const { element, link, log } = await mount({}, ({ completeAnswers }) =>
      completeAnswers.push(refusal({ code: 'authorization_required', action: 'retry', authorization })),
    );
    await reach(element, 'ready');
    press(element);
    link.succeed();
    const dialog = element.shadowRoot?.querySelector('dialog') as HTMLDialogElement;
    await waitUntil(() => dialog.open);
    dialog.dispatchEvent(new Event('cancel', { cancelable: true }));
    await reach(element, 'ready');
    expect(dialog.open).to.equal(false);
    expect(log.at(-1)).to.match(/^fbc-canceled/);
  });

  it('waits for a server that needs longer', async () => {
    const mounted = await mount({}, (backend) => {
      backend.completeAnswers.push(session('processing'));
      backend.sessionAnswers.push(session('processing'), session('completed', ['active']));
    });
    await connect(mounted);
    expect(mounted.backend.calls.filter((call) => call.startsWith('getSession')).length).to.equal(2);
  });

  it('offers to send the same public token again when the network failed', async () => {
    const { element, link, backend } = await mount({}, ({ completeAnswers }) =>
      completeAnswers.push(refusal({ code: 'network_failed', action: 'retry', retryable: true })),
    );
    await reach(element, 'ready');
    press(element);
    link.succeed();
    await reach(element, 'error');
    part(element, 'retry').click();
    await reach(element, 'connected');
    expect(backend.completed.map(({ input }) => input.public_token)).to.deep.equal([
      'public-sandbox-1',
      'public-sandbox-1',
    ]);
  });

  it('opens Link by itself after another try that the customer pressed for, unless the page prevents it', async () => {
    for (const prevented of [false, true]) {
      const { element, link, log } = await mount({}, ({ linkTokenErrors }) =>
        linkTokenErrors.push(refusal({ code: 'script_blocked', action: 'retry', retryable: true })),
      );
      if (prevented) element.addEventListener('fbc-open', (event) => event.preventDefault());
      await reach(element, 'blocked');
      part(element, 'retry').click();
      expect(log.at(-1)).to.equal('fbc-open blocked');
      if (prevented) {
        expect(element.status).to.equal('blocked');
      } else {
        await reach(element, 'open');
        expect(link.last.opened).to.equal(1);
        link.exit();
      }
    }
  });

  it('goes on by itself when the network is back', async () => {
    const { element } = await mount({}, ({ linkTokenErrors }) =>
      linkTokenErrors.push(refusal({ code: 'offline', action: 'retry', retryable: true })),
    );
    await reach(element, 'error');
    globalThis.dispatchEvent(new Event('online'));
    await reach(element, 'ready');
  });

  it('shows what another tab has connected', async () => {
    const mounted = await mount({ clientSecret: secret }, (backend) => {
      backend.completeAnswers.push(refusal({ code: 'session_already_completed', action: 'contact_merchant' }));
      backend.sessionAnswers.push(session('open'), session('completed', ['active']));
    });
    await connect(mounted);
    expect(mounted.log.at(-1)).to.equal('fbc-connected connected');
  });

  it('shows a bank that was connected before the page was loaded again, without Link', async () => {
    const { element, backend, link } = await mount({ clientSecret: secret }, ({ sessionAnswers }) =>
      sessionAnswers.push(session('completed', ['active'])),
    );
    await reach(element, 'connected');
    expect(link.handlers).to.be.empty;
    expect(backend.tokens).to.equal(0);
  });

  it('goes on waiting for a session that was in the middle when the page was loaded again', async () => {
    const { element } = await mount({ clientSecret: secret }, ({ sessionAnswers }) =>
      sessionAnswers.push(session('processing'), session('completed', ['pending_verification'])),
    );
    await reach(element, 'pending_verification');
  });

  it('finds its public session again after a reload', async () => {
    const first = await mount();
    await connect(first);
    first.element.remove();
    const second = await mount({}, ({ sessionAnswers }) => sessionAnswers.push(session('completed', ['active'])));
    await reach(second.element, 'connected');
    expect(second.backend.publicSessions).to.equal(0);
  });

  it('does not show one customer the session of another', async () => {
    const first = await mount({ email: 'ada@example.com' });
    await connect(first);
    first.element.remove();
    const second = await mount({ email: 'grace@example.com' });
    await reach(second.element, 'ready');
    expect(second.backend.publicSessions).to.equal(1);
  });

  it('gets another client secret when its session is over', async () => {
    let count = 0;
    const { element, backend } = await mount(
      { fetchClientSecret: async () => `ses_${++count}_secret_x` },
      ({ linkTokenErrors }) => linkTokenErrors.push(refusal({ code: 'session_expired', action: 'contact_merchant' })),
    );
    await reach(element, 'ready');
    expect(backend.calls).to.deep.equal(['createLinkToken ses_1_secret_x', 'createLinkToken ses_2_secret_x']);
  });

  it('sends names and email only with a public session, and nothing that is empty', async () => {
    const { element, backend } = await mount({ firstName: 'Ada', lastName: '', email: 'ada@example.com' });
    await reach(element, 'ready');
    expect(JSON.parse(backend.calls[0]?.replace('createPublicSession ', '') ?? '').identity).to.deep.equal({
      first_name: 'Ada',
      email: 'ada@example.com',
    });
  });

  it('connects all the same when the server refuses the email address', async () => {
    const { warn } = console;
    console.warn = () => {};
    const { element, backend } = await mount({ firstName: 'Ada', email: 'ada@' }, ({ publicSessionErrors }) => {
      const errors = [{ path: 'identity.email', message: 'must be an email address' }];
      publicSessionErrors.push(refusal({ code: 'invalid_request', action: 'contact_merchant', errors }));
    });
    await reach(element, 'ready');
    console.warn = warn;
    expect(JSON.parse(backend.calls[1]?.replace('createPublicSession ', '') ?? '').identity).to.deep.equal({
      first_name: 'Ada',
    });
  });

  it('says that the merchant’s own function failed, also when it throws at once', async () => {
    for (const fetchClientSecret of [
      () => Promise.reject(new Error('500')),
      () => {
        throw new Error('not signed in');
      },
    ]) {
      const { element } = await mount({ fetchClientSecret });
      await reach(element, 'error');
      expect(element.error).to.include({ code: 'client_secret_unavailable', action: 'retry' });
    }
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

  it('says what is missing when nobody told it where the server is', async () => {
    const { element } = await mount({ backend: null });
    await reach(element, 'error');
    expect(element.error?.code).to.equal('endpoint_missing');
    expect(element.error?.action).to.equal('contact_merchant');
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
    expect(textOf(element)).to.contain('Conectar tu banco');
  });
});
