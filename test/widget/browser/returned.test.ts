import { expect } from '@open-wc/testing';
import { cleanUp, connect, mount, reach } from '../helpers/element.ts';
import { session } from '../helpers/simulated-backend.ts';

const secret = 'ses_1_secret_abc';
const shown = (element: Element) => element.shadowRoot?.textContent ?? '';
const ANOTHER = 'A payment with your last account was returned. Please connect a different account.';
const AGAIN = 'A payment with this account was returned. Sign in to your bank again to keep using it.';

describe('after a payment was returned', () => {
  afterEach(cleanUp);

  it('the element gives the reason for which another account is asked for, until one is connected', async () => {
    const mounted = await mount({ clientSecret: secret }, (backend) => {
      backend.returned = true;
    });
    const { element } = mounted;
    await reach(element, 'ready');
    expect(shown(element)).to.contain(ANOTHER);
    await connect(mounted);
    expect(shown(element)).not.to.contain(ANOTHER);
  });

  it('the element gives the reason for which its customer is asked to sign in again', async () => {
    const { element } = await mount({ clientSecret: secret }, (backend) => {
      backend.returned = true;
      backend.sessionAnswers.push({ ...session('open', ['needs_repair']), mode: 'repair' });
    });
    await reach(element, 'ready');
    expect(shown(element)).to.contain(AGAIN);
    expect(shown(element)).not.to.contain('keep this account connected');
  });

  it('a session of another customer shows nothing of it', async () => {
    const { element, backend } = await mount({ clientSecret: secret }, (first) => {
      first.returned = true;
    });
    await reach(element, 'ready');
    backend.returned = false;
    element.clientSecret = 'ses_2_secret_abc';
    await element.updateComplete;
    await reach(element, 'ready');
    expect(shown(element)).not.to.contain('returned');
  });
});
