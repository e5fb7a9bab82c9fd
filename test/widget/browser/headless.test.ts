import { aTimeout, expect } from '@open-wc/testing';
import { type Connect, type ConnectOptions, createConnect } from '../../../widget/headless.ts';
import { cleanUp } from '../helpers/element.ts';
import { refusal, SimulatedBackend, session } from '../helpers/simulated-backend.ts';
import { SimulatedLink } from '../helpers/simulated-link.ts';
import { waitUntil } from '../helpers/wait-until.ts';

describe('the flow without the element', () => {
  let backend: SimulatedBackend;
  let link: SimulatedLink;
  let connect: Connect;
  let events: string[];

  function start(options: Partial<ConnectOptions> = {}): Connect {
    connect = createConnect({
      backend,
      onConnected: ([bank]) => events.push(`connected ${bank?.id}`),
      onPending: ([bank]) => events.push(`pending ${bank?.id}`),
      onCanceled: (step) => events.push(`canceled ${step}`),
      onError: (error) => events.push(`error ${error.code}`),
      ...options,
    });
    return connect;
  }
  const reach = (status: Connect['status']) => waitUntil(() => connect.status === status, `the status ${status}`);

  beforeEach(() => {
    backend = new SimulatedBackend();
    link = SimulatedLink.install();
    events = [];
  });
  afterEach(async () => {
    connect.destroy();
    await cleanUp();
  });

  it('the headless flow sends no request before open(), then opens Link before open() returns, and connects', async () => {
    start();
    await aTimeout(0);
    expect(backend.calls).to.be.empty;
    connect.prepare();
    await reach('ready');
    connect.open();
    expect(link.last.opened).to.equal(1);
    expect(connect.status).to.equal('open');
    link.succeed();
    await reach('connected');
    expect(events).to.deep.equal(['connected con_1']);
    expect(connect.connections[0]?.account.mask).to.equal('1234');
  });

  it('shows at once what a session that began earlier has come to, also when it is prepared at once', async () => {
    backend.sessionAnswers.push(session('completed', ['pending_verification']));
    start({ clientSecret: 'ses_1_secret_a' });
    connect.prepare();
    await reach('pending_verification');
    expect(events).to.deep.equal(['pending con_1']);
    expect(backend.calls).to.deep.equal(['getSession ses_1_secret_a']);
  });

  it('listeners get every change with a snapshot that is never changed afterwards', async () => {
    start();
    const seen = new Set([connect.getSnapshot()]);
    const unsubscribe = connect.subscribe(() => seen.add(connect.getSnapshot()));
    connect.prepare();
    await reach('ready');
    unsubscribe();
    connect.open();
    expect([...seen].map(({ status }) => status))
      .to.include.members(['loading', 'ready'])
      .and.not.include('open');
  });

  it('is ready again after a reset', async () => {
    start();
    connect.prepare();
    await reach('ready');
    connect.open();
    connect.reset();
    await reach('ready');
    connect.open();
    expect(connect.status).to.equal('open');
  });

  it('asks which account, and goes on with the answer', async () => {
    const accounts = ['a', 'b'].map((id) => ({ id, name: id, mask: null, subtype: null }));
    backend.completeAnswers.push(
      refusal({ code: 'account_selection_required', action: 'choose_account', accounts }),
      session('completed', ['active']),
    );
    start();
    connect.open();
    await reach('open');
    link.succeed();
    await waitUntil(() => connect.question);
    expect(connect.question).to.deep.equal({ type: 'choose_account', accounts });
    connect.choose('b');
    await reach('connected');
    expect(connect.question).to.equal(null);
    expect(backend.completed[1]?.input.accounts.map(({ id }) => id)).to.deep.equal(['b']);
  });

  it("shows the text to agree to, and takes the customer's no", async () => {
    const authorization = { text: 'I agree.', version: '1', text_sha256: 'ab' };
    backend.completeAnswers.push(refusal({ code: 'authorization_required', action: 'retry', authorization }));
    start();
    connect.open();
    await reach('open');
    link.succeed();
    await waitUntil(() => connect.question);
    expect(connect.question).to.deep.equal({ type: 'authorize', ...authorization });
    connect.decline();
    expect(events).to.deep.equal(['canceled authorize']);
  });

  it('a reset of the headless flow while Link is open cancels it, and Link opens again', async () => {
    start();
    connect.open();
    await reach('open');
    connect.reset();
    expect(events).to.deep.equal(['canceled reset']);
    connect.open();
    await reach('open');
  });

  it("the headless flow names what went wrong in the customer's language, and opens Link on a retry", async () => {
    backend.linkTokenErrors.push(refusal({ code: 'timeout', action: 'retry', retryable: true }));
    start({ language: 'es-MX' });
    connect.prepare();
    await reach('error');
    expect(events).to.deep.equal(['error timeout']);
    await waitUntil(() => /conectar su banco/.test(connect.error?.message ?? ''), 'the sentence in Spanish');
    connect.open();
    await reach('open');
    expect(connect.error).to.equal(null);
  });

  it('names the merchant that the server named', async () => {
    backend.completeAnswers.push(refusal({ code: 'provider_misconfigured', action: 'contact_merchant' }));
    start();
    connect.open();
    await reach('open');
    link.succeed();
    await reach('error');
    expect(connect.error?.message).to.contain('contact Acme.');
  });

  it('starts over after reset, and takes another bank after change', async () => {
    start();
    connect.open();
    await reach('open');
    link.succeed();
    await reach('connected');
    connect.change();
    await reach('open');
    link.succeed('public-sandbox-2');
    await reach('connected');
    expect(backend.publicSessions).to.equal(2);
    connect.reset();
    expect(connect.connections).to.be.empty;
  });

  it('destroy() closes Link, and no request and no event follows', async () => {
    start();
    connect.open();
    await reach('open');
    const { calls } = backend;
    const asked = calls.length;
    let changes = 0;
    connect.subscribe(() => changes++);
    connect.destroy();
    await waitUntil(() => link.last.destroyed);
    link.succeed();
    connect.open();
    connect.prepare();
    globalThis.dispatchEvent(new Event('online'));
    await aTimeout(0);
    expect([calls.length, changes, events.length]).to.deep.equal([asked, 0, 0]);
  });

  it('destroy() ends the polling of a session', async () => {
    let answer = (_: ReturnType<typeof session>) => {};
    backend.completeAnswers.push(new Promise((resolve) => (answer = resolve)));
    start();
    connect.open();
    await reach('open');
    link.succeed();
    await reach('connecting');
    connect.destroy();
    answer(session('processing'));
    await aTimeout(100);
    expect(backend.calls.filter((call) => call.startsWith('getSession'))).to.be.empty;
  });

  it('asks for nothing when it is destroyed in the same breath', async () => {
    start({ clientSecret: 'ses_1_secret_a' });
    connect.destroy();
    await aTimeout(0);
    expect(backend.calls).to.be.empty;
  });

  it('puts the bank search where the page wants it', async () => {
    const container = document.createElement('div');
    document.body.append(container);
    const places: HTMLElement[] = [];
    Object.assign(link, {
      createEmbedded: (_config: unknown, place: HTMLElement) => {
        places.push(place);
        return { destroy() {} };
      },
    });
    start({ mode: 'embedded', container });
    connect.prepare();
    await reach('ready');
    expect(places).to.deep.equal([container]);
    container.remove();
  });
});
