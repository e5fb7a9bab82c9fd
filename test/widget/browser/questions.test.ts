import { aTimeout, expect } from '@open-wc/testing';
import type { FinixBankConnect } from '../../../widget/index.ts';
import { cleanUp, linkNamed, mount, press, reach, textOf } from '../helpers/element.ts';
import { refusal, type SimulatedBackend } from '../helpers/simulated-backend.ts';
import { waitUntil } from '../helpers/wait-until.ts';

describe('a question between Link and the connection', () => {
  afterEach(cleanUp);

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
    const name = root.querySelector('dialog')?.getAttribute('aria-labelledby') ?? '';
    expect(root.getElementById(name)?.textContent).to.equal('Choose an account');
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

  it('names the kinds of account in the customer’s language, and leaves a kind that it does not know as it is', async () => {
    const accounts = ['savings', 'cash management', 'prepaid'].map((subtype) => ({
      id: subtype,
      name: 'x',
      mask: '1',
      subtype,
    }));
    const { element, link } = await mount({ lang: 'de' }, ({ completeAnswers }) =>
      completeAnswers.push(refusal({ code: 'account_selection_required', action: 'choose_account', accounts })),
    );
    await reach(element, 'ready');
    press(element);
    link.succeed();
    const root = element.shadowRoot as ShadowRoot;
    await waitUntil(() => root.querySelector('dialog')?.open);
    const kinds = [...root.querySelectorAll('label .small')].map(({ textContent }) => textContent);
    expect(kinds).to.deep.equal(['Sparkonto', 'Cash-Management-Konto', 'prepaid']);
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
    const copy = element.shadowRoot?.querySelector<HTMLAnchorElement>('a[download]')?.href ?? '';
    const [merchant, date = '', , ...rest] = (await (await fetch(copy)).text()).split('\n');
    expect([merchant, ...rest]).to.deep.equal(['Acme', authorization.text, '', '1', `SHA-256: ${'ab'.repeat(32)}`, '']);
    expect(Math.abs(Date.parse(date) - Date.now())).to.be.below(60_000);
    linkNamed(element, 'Agree and continue').click();
    await reach(element, 'connected');
    expect(backend.completed[1]?.input).to.deep.include({
      public_token: 'public-sandbox-1',
      authorization: { accepted: true, text_sha256: authorization.text_sha256 },
    });
  });

  for (const [kind, disable] of [
    ['itself', (element: FinixBankConnect) => (element.disabled = true)],
    ['its fieldset', (element: FinixBankConnect) => ((element.parentNode as HTMLFieldSetElement).disabled = true)],
  ] as const) {
    it(`before Link, the answer of a customer whose page has disabled ${kind} is taken as a no`, async () => {
      const authorization = { text: 'Northwind may debit your account.', version: '1', text_sha256: 'ab' };
      const prepare = (backend: SimulatedBackend) =>
        Object.assign(backend, { authorization, hostedLinkUrl: 'https://hosted.example/link' });
      const mounted = await mount({ mode: 'hosted' }, prepare, document.createElement('fieldset'));
      const { element, log } = mounted;
      await reach(element, 'ready');
      press(element);
      await waitUntil(() => element.shadowRoot?.querySelector('dialog')?.open);
      log.length = 0;
      disable(element);
      await aTimeout(0);
      await element.updateComplete;
      linkNamed(element, 'Agree and continue').click();
      await waitUntil(() => textOf(element).includes('No bank account was connected'));
      expect(log.map((line) => line.split(' ')[0])).to.deep.equal(['fbc-canceled']);
    });
  }

  it('after Link, a customer whose page has disabled the element can still answer', async () => {
    const authorization = { text: 'Northwind may debit your account.', version: '1', text_sha256: 'ab' };
    const { element, link } = await mount({}, ({ completeAnswers }) =>
      completeAnswers.push(refusal({ code: 'authorization_required', action: 'retry', authorization })),
    );
    await reach(element, 'ready');
    press(element);
    link.succeed();
    await waitUntil(() => element.shadowRoot?.querySelector('dialog')?.open);
    element.disabled = true;
    await element.updateComplete;
    linkNamed(element, 'Agree and continue').click();
    await reach(element, 'connected');
  });

  /** What a page does to a form that it believes to be busy. */
  const BUSY: Record<string, (form: HTMLFormElement) => void> = {
    'takes no pointer': (form) => (form.style.pointerEvents = 'none'),
    'is invisible': (form) => (form.style.visibility = 'hidden'),
    'is nearly transparent': (form) => (form.style.opacity = '0.01'),
    'is inert': (form) => (form.inert = true),
    'has only disabled fields': (form) => ((form.firstElementChild as HTMLFieldSetElement).disabled = true),
  };
  const asksForAccount = (backend: SimulatedBackend) => {
    const accounts = ['a', 'b'].map((id) => ({ id, name: id, mask: id, subtype: 'checking' }));
    backend.completeAnswers.push(refusal({ code: 'account_selection_required', action: 'choose_account', accounts }));
  };

  for (const [name, keepBusy] of Object.entries(BUSY)) {
    it(`can be answered in a form that ${name} while a bank is connecting`, async () => {
      const form = document.createElement('form');
      const fieldset = form.appendChild(document.createElement('fieldset'));
      const { element, link, backend } = await mount({}, asksForAccount, form);
      fieldset.append(element);
      element.addEventListener('fbc-step', ({ detail }) => detail.step === 'connecting' && keepBusy(form));
      await reach(element, 'ready');
      press(element);
      link.succeed();
      const root = element.shadowRoot as ShadowRoot;
      await waitUntil(() => root.querySelector('dialog')?.open);
      const input = root.querySelector<HTMLInputElement>('input[value="b"]') as HTMLInputElement;
      const expectPressable = (control: HTMLElement) => {
        const { left, top, width, height } = control.getBoundingClientRect();
        const hit = root.elementFromPoint(left + width / 2, top + height / 2);
        expect(hit === control || control.contains(hit), `${name}: ${control.outerHTML}`).to.equal(true);
        expect(getComputedStyle(control).visibility).to.equal('visible');
        control.click();
      };
      expectPressable(input);
      expectPressable(linkNamed(element, 'Use this account'));
      await waitUntil(() => backend.completed.length === 2);
      expect(backend.completed[1]?.input.accounts.map(({ id }) => id)).to.deep.equal(['b']);
    });
  }

  /** How a page puts a part of itself elsewhere. */
  const MOVES: Record<string, (element: HTMLElement, box: HTMLElement) => Promise<void> | void> = {
    'to another place': (element, box) => box.append(element),
    'into a shadow root': (element, box) => box.attachShadow({ mode: 'open' }).append(element),
    'together with its parent': (element, box) => box.append(element.parentElement as HTMLElement),
    'out of the page for a while': async (element, box) => {
      element.remove();
      await aTimeout(50);
      box.append(element);
    },
    'to another place, where it is hidden for a while': async (element, box) => {
      box.hidden = true;
      box.append(element);
      await aTimeout(50);
      box.hidden = false;
    },
  };
  for (const [name, move] of Object.entries(MOVES)) {
    it(`stays in front of the page when the page moves the element ${name}, and can be answered`, async () => {
      const box = document.createElement('section');
      const mounted = await mount({}, asksForAccount);
      const { element, link, backend } = mounted;
      await reach(element, 'ready');
      press(element);
      link.succeed();
      const root = element.shadowRoot as ShadowRoot;
      await waitUntil(() => root.querySelector('dialog')?.matches(':modal'));
      root.querySelector<HTMLInputElement>('input[value="b"]')?.click();
      document.body.append(box);
      await move(element, box);
      await waitUntil(() => root.querySelector('dialog')?.matches(':modal'), 'the question to be in front again');
      linkNamed(element, 'Use this account').click();
      await reach(element, 'connected');
      expect(backend.completed[1]?.input.accounts.map(({ id }) => id)).to.deep.equal(['b']);
      box.remove();
    });
  }

  it('waits where the page hides the element, and lets the customer use the rest of the page', async () => {
    const { element, link } = await mount({}, asksForAccount);
    const rest = document.createElement('button');
    element.before(rest);
    const wrapper = document.createElement('div');
    element.replaceWith(wrapper);
    wrapper.append(element);
    element.addEventListener('fbc-step', ({ detail }) => {
      if (detail.step === 'connecting') wrapper.style.display = 'none';
    });
    await reach(element, 'ready');
    press(element);
    link.succeed();
    const dialog = element.shadowRoot?.querySelector('dialog') as HTMLDialogElement;
    await waitUntil(() => element.shadowRoot?.querySelector('dialog input'));
    const isReached = () => {
      const { left, top, width, height } = rest.getBoundingClientRect();
      return document.elementFromPoint(left + width / 2, top + height / 2) === rest;
    };
    expect(dialog.open).to.equal(false);
    expect(isReached()).to.equal(true);
    wrapper.style.display = '';
    await waitUntil(() => dialog.open);
    expect(isReached()).to.equal(false);
    wrapper.hidden = true;
    await waitUntil(() => !dialog.open);
    expect(isReached()).to.equal(true);
    expect(element.status).to.equal('connecting');
    wrapper.hidden = false;
    await waitUntil(() => dialog.open);
  });

  it('in a label of the page is answered as anywhere, and a press opens Link once', async () => {
    const label = document.createElement('label');
    const { element, link, backend } = await mount({}, asksForAccount, label);
    await reach(element, 'ready');
    press(element);
    expect(link.last.opened).to.equal(1);
    link.succeed();
    const root = element.shadowRoot as ShadowRoot;
    await waitUntil(() => root.querySelector('dialog')?.open);
    root.querySelector<HTMLInputElement>('input[value="a"]')?.click();
    expect(root.querySelector<HTMLInputElement>('input[value="a"]')?.checked).to.equal(true);
    linkNamed(element, 'Use this account').click();
    await reach(element, 'connected');
    expect(backend.completed).to.have.length(2);
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

  it('offers a copy of the authorization, and names whom to contact to revoke it', async () => {
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
    expect(mounted.element.shadowRoot?.getElementById('title')?.textContent).to.equal('Authorize payments');
    expect(textOf(mounted.element)).to.contain('You can revoke this at any time by contacting Acme.');
  });

  it('authorizes no payments where the session pays out', async () => {
    const authorization = { text: 'Pay me here', version: '1', text_sha256: 'ab12' };
    const mounted = await mount({}, (backend) => {
      backend.purpose = 'payout';
      const error = { code: 'authorization_required', action: 'retry', retryable: true, authorization } as const;
      backend.completeAnswers.push(refusal(error));
    });
    await reach(mounted.element, 'ready');
    press(mounted.element);
    mounted.link.succeed();
    await waitUntil(() => mounted.element.shadowRoot?.querySelector('dialog')?.open);
    expect(mounted.element.shadowRoot?.getElementById('title')?.textContent).to.equal('Authorization');
  });
});
