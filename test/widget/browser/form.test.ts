import { expect } from '@open-wc/testing';
import type { FinixBankConnect } from '../../../widget/index.ts';
import { cleanUp, connect, type Mounted, mount, part, press, reach, textOf } from '../helpers/element.ts';
import { connection, session } from '../helpers/simulated-backend.ts';

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

  it('starts over with the form', async () => {
    const mounted = await inForm({ required: true });
    await connect(mounted);
    mounted.form.reset();
    expect(mounted.values()).to.be.empty;
    expect(mounted.form.checkValidity()).to.equal(false);
    await reach(mounted.element, 'ready');
  });

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
