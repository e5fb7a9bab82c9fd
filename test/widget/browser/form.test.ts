import { expect } from '@open-wc/testing';
import type { Session } from '../../../widget/contract.ts';
import type { FinixBankConnect } from '../../../widget/index.ts';
import { cleanUp, connect, type Mounted, mount, part, press, reach, textOf } from '../helpers/element.ts';
import { connection, refusal, session } from '../helpers/simulated-backend.ts';
import { waitUntil } from '../helpers/wait-until.ts';

async function inForm(
  properties: Partial<FinixBankConnect> = {},
  prepare?: Parameters<typeof mount>[1],
): Promise<Mounted & { form: HTMLFormElement; values: () => FormDataEntryValue[] }> {
  const form = document.createElement('form');
  const mounted = await mount({ name: 'bank', ...properties }, prepare, form);
  await mounted.element.updateComplete;
  return { ...mounted, form, values: () => new FormData(form).getAll('bank') };
}

describe('in a form', () => {
  afterEach(cleanUp);

  it('has the connection id as its value', async () => {
    const mounted = await inForm();
    expect(mounted.values()).to.be.empty;
    await connect(mounted);
    expect(mounted.values()).to.deep.equal(['con_1']);
    expect(mounted.element.form).to.equal(mounted.form);
  });

  it('has the value in place when fbc-connected fires', async () => {
    const mounted = await inForm();
    let seen: unknown[] = [];
    mounted.element.addEventListener('fbc-connected', () => {
      seen = mounted.values();
    });
    await connect(mounted);
    expect(seen).to.deep.equal(['con_1']);
  });

  it('ignores what a form library assigns to its value', async () => {
    const mounted = await inForm();
    for (const control of mounted.form.elements) Object.assign(control, { value: '' });
    await connect(mounted);
    for (const control of mounted.form.elements) Object.assign(control, { value: 'another' });
    expect(mounted.element.value).to.equal('con_1');
    expect(mounted.values()).to.deep.equal(['con_1']);
  });

  it('ignores a value that was assigned before the tag was defined', async () => {
    const element = document.createElement('finix-bank-connect');
    // An own property, as an element without a definition gets one.
    Object.defineProperty(element, 'value', { value: 'early', writable: true, configurable: true, enumerable: true });
    const form = document.createElement('form');
    form.append(element);
    document.body.append(form);
    expect(element.value).to.equal(null);
    form.remove();
  });

  it('has an entry for each of several connections', async () => {
    const both = session('completed', [connection('con_1'), connection('con_2', 'pending_verification')]);
    const mounted = await inForm({}, ({ completeAnswers }) => completeAnswers.push(both));
    await connect(mounted);
    expect(mounted.values()).to.deep.equal(['con_1', 'con_2']);
  });

  it('counts a pending account, and not one that needs repair', async () => {
    const pending = await inForm({}, ({ completeAnswers }) =>
      completeAnswers.push(session('completed', ['pending_verification'])),
    );
    await connect(pending, 'pending_verification');
    expect(pending.values()).to.deep.equal(['con_1']);
    const broken = await inForm({ clientSecret: 'ses_2_secret_x' }, ({ completeAnswers }) =>
      completeAnswers.push(session('completed', ['needs_repair'])),
    );
    await connect(broken, 'needs_repair');
    expect(broken.values()).to.be.empty;
  });

  it('holds the form back until a bank is connected, when required', async () => {
    const mounted = await inForm({ required: true });
    const { element, form } = mounted;
    expect(form.checkValidity()).to.equal(false);
    expect(element.validity.valueMissing).to.equal(true);
    expect(element.validationMessage).to.equal('Connect a bank account to continue.');
    await connect(mounted);
    expect(form.checkValidity()).to.equal(true);
  });

  it('the element shows once what is missing when the customer sends the form, and no more when they act on it', async () => {
    const { element, form, link } = await inForm({ required: true });
    await reach(element, 'ready');
    const submit = document.createElement('button');
    form.append(submit);
    let bubbles = 0;
    element.addEventListener('invalid', (event) => {
      // After the element got the event, which listens at the same place.
      queueMicrotask(() => {
        if (!event.defaultPrevented) bubbles++;
      });
    });
    submit.click();
    await element.updateComplete;
    expect(part(element, 'error').textContent).to.equal('Connect a bank account to continue.');
    expect(bubbles).to.equal(0);
    expect(element.shadowRoot?.activeElement).to.equal(part(element, 'button'));
    press(element);
    await element.updateComplete;
    expect(textOf(element)).not.to.contain('Connect a bank account');
    link.exit();
    await element.updateComplete;
    expect(textOf(element)).not.to.contain('Connect a bank account');
  });

  it('leaves the focus to the first of several that are missing', async () => {
    const { element, form } = await inForm({ required: true });
    await reach(element, 'ready');
    const [email, submit] = [document.createElement('input'), document.createElement('button')];
    email.required = true;
    form.prepend(email);
    form.append(submit);
    submit.click();
    await element.updateComplete;
    expect(document.activeElement).to.equal(email);
    expect(part(element, 'error').textContent).to.contain('Connect a bank account');
  });

  it('the element shows nothing when a script only checks whether the form is complete', async () => {
    const { element, form } = await inForm({ required: true });
    await reach(element, 'ready');
    form.checkValidity();
    element.checkValidity();
    await element.updateComplete;
    expect(textOf(element)).not.to.contain('Connect a bank account');
    expect(document.activeElement).not.to.equal(element);
    expect(element.reportValidity()).to.equal(false);
    await element.updateComplete;
    expect(part(element, 'error').textContent).to.contain('Connect a bank account');
    expect(document.activeElement).to.equal(element);
  });

  it('focuses its button when the form is submitted without a bank', async () => {
    const { element, form } = await inForm({ required: true });
    await reach(element, 'ready');
    form.requestSubmit();
    expect(element.shadowRoot?.activeElement).to.equal(part(element, 'button'));
  });

  it('keeps a connected bank when the form is reset, as React resets it after every action', async () => {
    const fetched: string[] = [];
    const fetchClientSecret = async () => `ses_${fetched.push('one')}_secret_a`;
    for (const properties of [{ clientSecret: 'ses_1_secret_a' }, { fetchClientSecret }, {}]) {
      const mounted = await inForm({ required: true, ...properties });
      await connect(mounted);
      const before = mounted.log.length;
      mounted.form.reset();
      await mounted.element.updateComplete;
      expect(mounted.element.status).to.equal('connected');
      expect(mounted.values()).to.deep.equal(['con_1']);
      expect(mounted.form.checkValidity()).to.equal(true);
      expect(mounted.log).to.have.length(before);
      expect(mounted.backend.tokens).to.equal(1);
    }
    expect(fetched).to.have.length(1);
  });

  it('keeps what is on the way to a bank when the form is reset', async () => {
    let answer = (_: Session) => {};
    const mounted = await inForm({}, ({ completeAnswers }) =>
      completeAnswers.push(
        new Promise((resolve) => {
          answer = resolve;
        }),
      ),
    );
    await reach(mounted.element, 'ready');
    press(mounted.element);
    mounted.form.reset();
    expect(mounted.element.status).to.equal('open');
    mounted.link.succeed();
    await reach(mounted.element, 'connecting');
    mounted.form.reset();
    answer(session('completed', ['active']));
    await reach(mounted.element, 'connected');
  });

  it('keeps what Link gave when the form is reset after an answer was lost', async () => {
    const lost = refusal({ code: 'timeout', action: 'retry', retryable: true });
    const mounted = await inForm({}, ({ completeAnswers }) => completeAnswers.push(lost));
    await reach(mounted.element, 'ready');
    press(mounted.element);
    mounted.link.succeed();
    await reach(mounted.element, 'error');
    mounted.form.reset();
    press(mounted.element);
    await reach(mounted.element, 'connected');
    expect(mounted.backend.completed.map(({ input }) => input.public_token)).to.deep.equal([
      'public-sandbox-1',
      'public-sandbox-1',
    ]);
  });

  it('shows neither an error nor a missing bank any more when the form is reset', async () => {
    const mounted = await inForm({ required: true }, ({ linkTokenErrors }) =>
      linkTokenErrors.push(refusal({ code: 'timeout', action: 'retry', retryable: true })),
    );
    await reach(mounted.element, 'error');
    mounted.form.reset();
    await reach(mounted.element, 'ready');
    mounted.element.reportValidity();
    await mounted.element.updateComplete;
    expect(textOf(mounted.element)).to.contain('Connect a bank account');
    mounted.form.reset();
    await mounted.element.updateComplete;
    expect(textOf(mounted.element)).not.to.contain('Connect a bank account');
    expect(mounted.element.status).to.equal('ready');
  });

  it('has no value any more after reset()', async () => {
    const mounted = await inForm({ required: true });
    await connect(mounted);
    mounted.element.reset();
    expect(mounted.values()).to.be.empty;
    expect(mounted.form.checkValidity()).to.equal(false);
    await reach(mounted.element, 'ready');
  });

  it('a press from before the element could work counts no more once the form is reset, or the element disabled', async () => {
    for (const withdraw of [
      (form: HTMLFormElement) => form.reset(),
      (_: HTMLFormElement, element: FinixBankConnect) => element.reset(),
      (_: HTMLFormElement, element: FinixBankConnect) => {
        element.disabled = true;
      },
    ]) {
      const form = document.body.appendChild(document.createElement('form'));
      const mounting = mount({ name: 'bank' }, undefined, form);
      const element = form.querySelector('finix-bank-connect') as FinixBankConnect;
      // Nothing of its code can have come within this task.
      element.open();
      withdraw(form, element);
      const { log, link } = await mounting;
      await reach(element, 'ready');
      expect(log).to.have.length(1);
      expect(link.handlers.map(({ opened }) => opened)).to.deep.equal([0]);
    }
  });

  const withdrawals: Record<string, (mounted: Awaited<ReturnType<typeof inForm>>) => void> = {
    'the form is reset': ({ form }) => form.reset(),
    'the element is disabled': ({ element }) => {
      element.disabled = true;
    },
    'a fieldset around it is disabled': ({ element, form }) => {
      const fieldset = document.createElement('fieldset');
      form.append(fieldset);
      fieldset.append(element);
      fieldset.disabled = true;
    },
  };
  for (const [reason, withdraw] of Object.entries(withdrawals)) {
    it(`a press that waits for Link does not open it any more once ${reason}`, async () => {
      let release = () => {};
      const mounted = await inForm({}, (server) => {
        server.hold = new Promise((resolve) => {
          release = resolve;
        });
      });
      await waitUntil(() => mounted.backend.linkTokenInputs.length > 0);
      press(mounted.element);
      withdraw(mounted);
      release();
      await reach(mounted.element, 'ready');
      await mounted.element.updateComplete;
      expect(textOf(mounted.element)).not.to.contain('Opening');
      expect(mounted.link.handlers.map(({ opened }) => opened)).to.deep.equal([0]);
    });
  }

  it('can not be pressed in a disabled fieldset, and submits nothing', async () => {
    const { element, form, link } = await inForm({ required: true });
    await reach(element, 'ready');
    const fieldset = document.createElement('fieldset');
    fieldset.disabled = true;
    form.append(fieldset);
    fieldset.append(element);
    await element.updateComplete;
    press(element);
    element.open();
    expect(link.last.opened).to.equal(0);
    expect(form.checkValidity()).to.equal(true);
  });

  it('can be pressed again as soon as it is no longer disabled', async () => {
    const { element, link } = await inForm({ disabled: true });
    await reach(element, 'ready');
    element.disabled = false;
    await waitUntil(() => !part(element, 'button').matches(':disabled'));
    press(element);
    expect(link.last.opened).to.equal(1);
  });

  it('does not submit the form when its button is pressed', async () => {
    const { element, form } = await inForm();
    let submitted = false;
    form.addEventListener('submit', (event) => {
      submitted = true;
      event.preventDefault();
    });
    await reach(element, 'ready');
    press(element);
    expect(submitted).to.equal(false);
  });
});
