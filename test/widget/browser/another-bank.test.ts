import { cleanUp, connect, linkNamed, mount, press, reach, reachQuestion, spoken } from '../helpers/element.ts';
import { refusal } from '../helpers/simulated-backend.ts';
import { waitUntil } from '../helpers/wait-until.ts';

let sessions = 0;

describe('a customer who asked for another bank', () => {
  afterEach(cleanUp);

  it('and closes Link reads that none was chosen, each time', async () => {
    const mounted = await mount({ fetchClientSecret: async () => `ses_fetched${++sessions}_secret_x` });
    await connect(mounted);
    const { element, link } = mounted;
    linkNamed(element, 'Change').click();
    await reach(element, 'open');
    for (let i = 0; i < 2; i++) {
      link.exit();
      await waitUntil(() => spoken(element) === 'No new bank account was connected.');
      await reach(element, 'ready');
      press(element);
      await reach(element, 'open');
    }
    link.succeed();
    await reach(element, 'connected');
    linkNamed(element, 'Remove').click();
    await reach(element, 'ready');
    press(element);
    await reach(element, 'open');
    link.exit();
    await waitUntil(() => spoken(element).startsWith('No bank account was connected'));
  });

  it('and declines a question reads the same', async () => {
    const accounts = ['a', 'b'].map((id) => ({ id, name: id, mask: id, subtype: 'checking' }));
    const mounted = await mount({ fetchClientSecret: async () => `ses_fetched${++sessions}_secret_x` });
    await connect(mounted);
    const { element, backend } = mounted;
    backend.completeAnswers.push(refusal({ code: 'account_selection_required', action: 'choose_account', accounts }));
    linkNamed(element, 'Change').click();
    await reach(element, 'open');
    await reachQuestion(mounted);
    linkNamed(element, 'Cancel').click();
    await waitUntil(() => spoken(element) === 'No new bank account was connected.');
  });
});
