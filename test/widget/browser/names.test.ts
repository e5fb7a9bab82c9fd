import { expect } from '@open-wc/testing';
import { descriptionOf, nameOf, violations } from '../helpers/axe.ts';
import { cleanUp, connect, type Mounted, mount, part, reach, spoken } from '../helpers/element.ts';
import { connection, refusal, session } from '../helpers/simulated-backend.ts';
import { waitUntil } from '../helpers/wait-until.ts';

/** An element among other HTML; `%` is where it goes. */
async function mountIn(
  html: string,
  attributes: Record<string, string> = {},
  properties: Parameters<typeof mount>[0] = {},
  prepare?: Parameters<typeof mount>[1],
  status: Parameters<typeof reach>[1] = 'ready',
): Promise<Mounted> {
  const parent = document.createElement('div');
  parent.innerHTML = html.replace('%', '<i></i>');
  const mounted = await mount(properties, prepare, parent);
  for (const [name, value] of Object.entries(attributes)) mounted.element.setAttribute(name, value);
  parent.querySelector('i')?.replaceWith(mounted.element);
  await reach(mounted.element, status);
  return mounted;
}
const buttonOf = ({ element }: Mounted) => part(element, 'button');

describe('the names of the control', () => {
  afterEach(async () => {
    document.documentElement.lang = 'en';
    await cleanUp();
  });

  it('names begin with the label around the element, without the content of the element', async () => {
    const mounted = await mountIn('<label>Refund account %</label>');
    mounted.element.innerHTML = '<a slot="fallback" href="#card">Pay by card</a>';
    mounted.element.setAttribute('aria-label', '');
    await mounted.element.updateComplete;
    expect(nameOf(buttonOf(mounted))).to.equal('Refund account Connect your bank');
    expect(await violations(mounted.element)).to.deep.equal([]);
  });

  it('begin with the label that points to the element', async () => {
    const mounted = await mountIn('<label for="bank">Payout account</label>%', { id: 'bank' });
    mounted.element.requestUpdate();
    await mounted.element.updateComplete;
    expect(nameOf(buttonOf(mounted))).to.equal('Payout account Connect your bank');
  });

  it('begin with aria-label, and follow it when it changes', async () => {
    const mounted = await mountIn('%', { 'aria-label': 'Refund account' });
    expect(nameOf(buttonOf(mounted))).to.equal('Refund account Connect your bank');
    mounted.element.setAttribute('aria-label', 'Payout account');
    await mounted.element.updateComplete;
    expect(nameOf(buttonOf(mounted))).to.equal('Payout account Connect your bank');
    mounted.element.removeAttribute('aria-label');
    await mounted.element.updateComplete;
    expect(nameOf(buttonOf(mounted))).to.equal('Connect your bank');
  });

  it('follow a label whose text has changed, and a label that came later, when the customer comes to the control', async () => {
    const mounted = await mountIn('<label for="bank">Loading</label>%', { id: 'bank' });
    const label = mounted.element.parentElement?.querySelector('label') as HTMLLabelElement;
    label.textContent = 'Refund account';
    mounted.element.focus();
    await waitUntil(() => nameOf(buttonOf(mounted)) === 'Refund account Connect your bank');
    label.remove();
    const other = document.createElement('label');
    other.htmlFor = 'bank';
    other.textContent = 'Payout account';
    mounted.element.before(other);
    mounted.element.dispatchEvent(new Event('pointerenter'));
    await waitUntil(() => nameOf(buttonOf(mounted)) === 'Payout account Connect your bank');
  });

  it('follow the page into another language when the customer comes to the control', async () => {
    const mounted = await mountIn('%');
    document.documentElement.lang = 'es';
    mounted.element.focus();
    await waitUntil(() => nameOf(buttonOf(mounted)).includes('banco'));
    expect(part(mounted.element, 'base').hasAttribute('lang')).to.equal(false);
  });

  it('begin with what aria-labelledby points to, before any label', async () => {
    const mounted = await mountIn('<label><b id="one">Refund</b> <b id="two">account</b> %</label>', {
      'aria-labelledby': 'two one gone',
      'aria-label': 'another',
    });
    expect(nameOf(buttonOf(mounted))).to.equal('account Refund Connect your bank');
  });

  for (const [html, name] of [
    ['<label for="bank">Bank account <span aria-hidden="true">*</span></label>%', 'Bank account'],
    ['<label for="bank">Bank account <span hidden>(required)</span></label>%', 'Bank account'],
    ['<label for="bank"><style>b { color: red }</style><b>Bank</b> account<!-- old --></label>%', 'Bank account'],
    ['<b id="one">Pay by <select><option>Bank</option><option>Card</option></select></b>% one', 'Pay by'],
    ['<label><img alt="Refund account" src="data:,"> %</label>', 'Refund account'],
    ['<label>Refund <img alt="" src="data:,"> account %</label>', 'Refund account'],
    ['<label for="bank"><span aria-label="Refund account">↩</span></label>%', 'Refund account'],
    ['<b id="one" aria-label="Refund account">↩</b><u id="two">, monthly</u>% one two', 'Refund account , monthly'],
    ['<b id="one" hidden>Refund <u aria-hidden="true">↩</u> account</b>% one', 'Refund account'],
    ['<b id="one" style="display: none"><u>Refund account</u></b>% one', 'Refund account'],
  ] as const) {
    it(`are what a screen reader reads of ${html}`, async () => {
      const [around = '', referred] = html.split(/(?<=%) (?=one)/);
      const attributes: Record<string, string> = referred ? { 'aria-labelledby': referred } : { id: 'bank' };
      const mounted = await mountIn(around, attributes);
      mounted.element.requestUpdate();
      await mounted.element.updateComplete;
      expect(nameOf(buttonOf(mounted))).to.equal(`${name} Connect your bank`);
    });
  }

  it('keep the text that the page puts on the button', async () => {
    const mounted = await mountIn('%', { 'aria-label': 'Refund account' });
    mounted.element.innerHTML = '<span slot="label">Pay by bank</span>';
    await mounted.element.updateComplete;
    expect(nameOf(buttonOf(mounted))).to.equal('Refund account Pay by bank');
  });

  it('are passed on to a dead end, which its sentence describes', async () => {
    const { element } = await mountIn(
      '%',
      { 'aria-label': 'Refund account' },
      {},
      ({ linkTokenErrors }) =>
        linkTokenErrors.push(refusal({ code: 'provider_misconfigured', action: 'contact_merchant' })),
      'error',
    );
    await waitUntil(() => element.shadowRoot?.querySelector('.dead'));
    const dead = element.shadowRoot?.querySelector('.dead') as HTMLElement;
    expect(dead.getAttribute('role')).to.equal('group');
    expect(nameOf(dead)).to.equal(`Refund account ${dead.textContent?.trim()}`);
    expect(descriptionOf(dead)).to.equal(element.error?.message);
    expect(await violations(element)).to.deep.equal([]);
  });

  it('are passed on to the card and to the search', async () => {
    const card = await mountIn('%', { 'aria-label': 'Refund account' });
    await connect(card);
    expect(part(card.element, 'account').getAttribute('role')).to.equal('group');
    expect(nameOf(part(card.element, 'account'))).to.equal('Refund account Chase ••1234');
    const search = await mountIn('%', { 'aria-label': 'Refund account' }, { mode: 'embedded' });
    const box = search.element.shadowRoot?.querySelector('.search') as HTMLElement;
    expect(box.getAttribute('role')).to.equal('group');
    expect(nameOf(box)).to.equal('Refund account Connect your bank');
    expect(await violations(search.element)).to.deep.equal([]);
  });
});

describe('the description of the control', () => {
  afterEach(cleanUp);

  it('the description is the sentence under the element, and the page’s aria-describedby', async () => {
    const mounted = await mountIn('<p id="hint">Within two days.</p>%', { 'aria-describedby': 'hint' });
    expect(descriptionOf(buttonOf(mounted))).to.match(/Plaid.* Within two days\.$/);
    mounted.element.innerHTML = '<span slot="legal">Our words</span>';
    await mounted.element.updateComplete;
    expect(descriptionOf(buttonOf(mounted))).to.equal('Our words Within two days.');
  });

  it('holds no text of a button, where the account needs repair', async () => {
    const mounted = await mount({}, ({ completeAnswers }) =>
      completeAnswers.push(session('completed', ['needs_repair'])),
    );
    await connect(mounted, 'needs_repair');
    expect(descriptionOf(buttonOf(mounted))).to.equal(part(mounted.element, 'status').textContent);
  });

  it('holds no text of a button, where another window is offered', async () => {
    const { element } = await mount({}, (backend) => {
      backend.linkTokenErrors.push(refusal({ code: 'script_blocked', action: 'retry' }));
      backend.hostedLinkUrl = 'https://hosted.example/link';
    });
    await reach(element, 'blocked');
    await waitUntil(() => element.shadowRoot?.querySelector('.links'));
    expect(descriptionOf(part(element, 'button'))).to.equal(element.error?.message);
  });
});

describe('what is announced', () => {
  afterEach(async () => {
    document.documentElement.lang = 'en';
    await cleanUp();
  });

  const two = session('completed', [
    connection('1', 'active', 'Bank of America', '0042'),
    connection('2', 'pending_verification', 'Bank of America', '1234'),
  ]);

  it('every account has its name and its status', async () => {
    const mounted = await mount({}, ({ completeAnswers }) => completeAnswers.push(two));
    await connect(mounted);
    expect(spoken(mounted.element)).to.match(/Bank of America ••0042 is connected.*Bank of America ••1234.*confirming/);
    const [first, second] = [...(mounted.element.shadowRoot?.querySelectorAll('.card') ?? [])];
    expect(nameOf(first?.querySelector('.state') as Element)).to.contain('is connected');
    expect(second?.textContent).to.contain('confirming this account');
  });

  it('the element gets the message of a missing bank, also where another field of the form is missing first', async () => {
    const form = document.createElement('form');
    form.innerHTML = '<input required aria-label="Name"><button>Pay</button>';
    const { element } = await mount({ required: true }, undefined, form);
    await reach(element, 'ready');
    form.querySelector('button')?.click();
    await element.updateComplete;
    expect(document.activeElement).to.equal(form.querySelector('input'));
    expect(spoken(element)).to.equal('Connect a bank account to continue.');
    expect(descriptionOf(part(element, 'button'))).to.equal('Connect a bank account to continue.');
  });

  it('is what is missing in mode embedded too, and tied to the search', async () => {
    const { element } = await mount({ required: true, mode: 'embedded' });
    await reach(element, 'ready');
    element.reportValidity();
    await element.updateComplete;
    expect(spoken(element)).to.equal('Connect a bank account to continue.');
    const search = element.shadowRoot?.querySelector('.search') as HTMLElement;
    expect(descriptionOf(search)).to.equal('Connect a bank account to continue.');
  });

  /** The language of a text, by the nearest element that names one. */
  const languageOfText = (element: Element, selector: string) => {
    const place = element.shadowRoot?.querySelector(selector);
    return (place?.closest('[lang]') ?? document.documentElement).getAttribute('lang');
  };

  it('is marked as English on a page in another language, but for the strings that the page has replaced', async () => {
    document.documentElement.lang = 'cy';
    const strings = {
      connect: 'Cysylltu banc',
      error_login: 'Ceisiwch eto.',
      connected: '{bank} wedi’i gysylltu.',
      remove: 'Dileu',
    };
    const mounted = await mount({ strings });
    const { element, link } = mounted;
    await reach(element, 'ready');
    expect(languageOfText(element, '[part=label]')).to.equal('cy');
    expect(languageOfText(element, '#legal')).to.equal('en');
    element.open();
    await element.updateComplete;
    expect(languageOfText(element, '[part=label]')).to.equal('en');
    link.exit('INVALID_CREDENTIALS');
    await reach(element, 'error');
    expect(languageOfText(element, '#said')).to.equal('cy');
    expect(languageOfText(element, '[part=label]')).to.equal('en');
    element.reset();
    await connect(mounted);
    expect(spoken(element)).to.equal('Chase ••1234 wedi’i gysylltu.');
    expect(languageOfText(element, '[role=status]')).to.equal('cy');
    const [change, remove] = [...(element.shadowRoot?.querySelectorAll('.links .link') ?? [])];
    expect([change?.getAttribute('lang'), remove?.getAttribute('lang')]).to.deep.equal([null, 'cy']);
    document.documentElement.lang = 'de';
    element.requestUpdate();
    await waitUntil(() => change?.textContent === 'Ändern');
    await element.updateComplete;
    expect(element.shadowRoot?.querySelectorAll('[lang]')).to.have.length(0);
  });

  it('has the text of the merchant’s authorization in the page’s language, also where ours is another', async () => {
    const authorization = { text: 'Rwy’n awdurdodi Acme.', version: '1', text_sha256: 'ab' };
    for (const lang of ['cy', 'de', '']) {
      document.documentElement.lang = lang;
      const { element, link } = await mount({}, ({ completeAnswers }) =>
        completeAnswers.push(refusal({ code: 'authorization_required', action: 'retry', authorization })),
      );
      await reach(element, 'ready');
      element.open();
      link.succeed();
      await waitUntil(() => element.shadowRoot?.querySelector('dialog[open] .text'));
      expect(element.shadowRoot?.querySelector('.text')?.getAttribute('lang')).to.equal(lang);
      element.remove();
    }
  });

  it('is marked as English where the page speaks a language that the element does not', async () => {
    document.documentElement.lang = 'cy';
    const { element } = await mount();
    await reach(element, 'ready');
    expect(part(element, 'base').lang).to.equal('en');
    document.documentElement.lang = 'de-AT';
    element.requestUpdate();
    await waitUntil(() => part(element, 'label').textContent?.includes('Bank verbinden'));
    expect(part(element, 'base').hasAttribute('lang')).to.equal(false);
  });
});
