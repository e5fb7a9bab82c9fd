import { expect } from '@open-wc/testing';
import { cleanUp, connect, mount, reach } from '../helpers/element.ts';
import { refusal, session } from '../helpers/simulated-backend.ts';

const secret = 'ses_1_secret_abc';

describe('the session of the page', () => {
  afterEach(cleanUp);

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

  it('two elements without a name find each its own session again after a reload', async () => {
    const both = document.createElement('div');
    const first = await mount({}, undefined, both);
    const { backend } = first;
    await reach(first.element, 'ready');
    const second = await mount({ backend }, undefined, both, first.link);
    await reach(second.element, 'ready');
    expect(backend.publicSessions).to.equal(2);
    both.replaceChildren();
    backend.calls.length = 0;
    const again = [await mount({ backend }, undefined, both), await mount({ backend }, undefined, both)];
    for (const { element } of again) await reach(element, 'ready');
    const read = backend.calls.filter((call) => call.startsWith('getSession')).sort();
    expect(read).to.deep.equal(['getSession ses_public1_secret_abc', 'getSession ses_public2_secret_abc']);
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
});
