import { createApp, defineComponent, h, KeepAlive, nextTick, reactive, Teleport } from 'vue';
import '../../../widget/index.ts';
import { refusal, SimulatedBackend, session } from '../../widget/helpers/simulated-backend.ts';
import { SimulatedLink } from '../../widget/helpers/simulated-link.ts';

/** What the page shows; a change renders it again. */
interface Shown {
  tab: 'bank' | 'card';
  /** Where the bank's form is drawn. */
  place: '#here' | '#there';
  isHidden: boolean;
}

/** What the test reads and does, from outside of the page. */
export interface VuePage {
  backend: SimulatedBackend;
  link: SimulatedLink;
  events: string[];
  warnings: string[];
  renders: number;
  /** The server is still working, however often the element asks, until it is done. */
  work(): void;
  finish(): void;
  /** The server's next answer is a question to the customer. */
  ask(): void;
  /** The change is rendered once the promise resolves. */
  show(change: Partial<Shown>): Promise<void>;
}

const warnings: string[] = [];
for (const level of ['error', 'warn'] as const)
  console[level] = (...words: unknown[]) => warnings.push(words.map(String).join(' '));

const shown = reactive<Shown & { turn: number }>({ tab: 'bank', place: '#here', isHidden: false, turn: 0 });
const page: VuePage = {
  backend: new SimulatedBackend(),
  link: SimulatedLink.install(),
  events: [],
  warnings,
  renders: 0,
  work() {
    page.backend.completeAnswers.push(session('processing'));
    page.backend.sessionAnswers.push(...Array.from({ length: 10_000 }, () => session('processing')));
  },
  finish() {
    page.backend.sessionAnswers.splice(0, Number.POSITIVE_INFINITY, session('completed', ['active']));
  },
  ask() {
    const accounts = ['a', 'b'].map((id) => ({ id, name: `Account ${id}`, mask: '0000', subtype: 'checking' }));
    const error = refusal({ code: 'account_selection_required', action: 'choose_account', accounts });
    page.backend.completeAnswers.push(error);
  },
  async show(change) {
    Object.assign(shown, change);
    await nextTick();
  },
};

/** Renders again in answer to every event, with everything new, as a template with inline functions does. */
const BankForm = defineComponent({
  render() {
    page.renders++;
    const { backend } = page;
    const on = ({ type }: Event) => {
      page.events.push(type);
      shown.turn++;
    };
    return h('form', { style: { display: shown.isHidden ? 'none' : '' } }, [
      h(
        'finix-bank-connect',
        {
          name: 'bank',
          required: true,
          backend: {
            createPublicSession: backend.createPublicSession.bind(backend),
            createLinkToken: backend.createLinkToken.bind(backend),
            complete: backend.complete.bind(backend),
            getSession: backend.getSession.bind(backend),
          },
          fetchClientSecret: async () => 'ses_1_secret_a',
          strings: { legal: 'Through Plaid.' },
          onFbcOpen: on,
          onFbcStep: on,
          onFbcConnected: on,
          onFbcCanceled: on,
          onFbcError: on,
        },
        [h('span', { slot: 'label' }, `Pay by bank, ${shown.turn}`)],
      ),
    ]);
  },
});
const CardForm = defineComponent({ render: () => h('form', [h('input', { name: 'card' })]) });

createApp({
  render: () => [
    h('div', { id: 'here' }),
    h('div', { id: 'there' }),
    h(Teleport, { to: shown.place, defer: true }, [
      h(KeepAlive, null, [h(shown.tab === 'bank' ? BankForm : CardForm)]),
    ]),
  ],
}).mount('#root');
Object.assign(globalThis, { vuePage: page });
