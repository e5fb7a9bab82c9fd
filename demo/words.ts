import type { FbcEventMap } from '../widget/lazy/events.ts';
import type { ServerStep } from './steps.ts';

export type Actor = 'customer' | 'page' | ServerStep['actor'];
export const PHASES = ['Getting ready', 'The customer in Link', 'Making a payment instrument', 'Outcome'] as const;
export type Phase = (typeof PHASES)[number];

/** One line for the panel. */
export interface Line {
  at: Date;
  actor: Actor;
  phase: Phase;
  text: string;
  /** The same for engineers: a call, an event. */
  detail?: string;
  failed?: boolean;
}

const [READY, LINK, MAKING, OUTCOME] = PHASES;

// Plaid adds names without notice; those that are not here are told as they are.
const STEPS: Record<string, string> = {
  consent: 'Reads what will be shared',
  select_institution: 'Chooses a bank',
  search_institution: 'Searches for a bank',
  credential: 'Is asked to sign in',
  submit_credentials: 'Signs in at the bank',
  mfa: 'Is asked for a code',
  submit_mfa: 'Sends the code',
  oauth: 'Is sent to the bank’s own page',
  open_oauth: 'Signs in on the bank’s own page',
  close_oauth: 'Closes the bank’s page',
  select_account: 'Chooses an account',
  error: 'Sees an error in Link',
  connected: 'Is told that it worked',
  connecting: 'Hands the one-time public token to the connect server',
  choose_account: 'Asks which of several accounts to use',
  authorize: 'Asks for agreement',
};

/** Names that repeat what another line says, or that say nothing to a reader. */
const SILENT = /^(open|loading|handoff|exit|view_data_types|institutions|waiting)$/;

/** Where a customer left, as Link's exit status or the last step. */
const LEFT_AT: Record<string, string> = {
  institution_not_found: 'before choosing a bank',
  requires_credentials: 'at the sign-in',
  requires_code: 'at the code',
  requires_oauth: 'at the bank’s own page',
  requires_account_selection: 'at the accounts',
  choose_account: 'at the choice of accounts',
  authorize: 'at the agreement',
};

/** An event of the element; undefined when there is nothing to tell. */
export function fromElement<K extends keyof FbcEventMap>(
  name: K | 'ready',
  detail: FbcEventMap[K]['detail'] | null,
): Line | undefined {
  const line = { at: new Date(), actor: 'page' as const, detail: name };
  const has = <P extends string>(key: P) => (detail && key in detail ? (detail as Record<string, unknown>)[key] : null);
  const accounts = (has('connections') as FbcEventMap['fbc-connected']['detail']['connections'] | null) ?? [];
  const bank = accounts.map(({ institution, account }) => `${institution.name ?? 'Bank'} ••${account.mask}`).join(', ');
  const step = String(has('step') ?? '');
  const word = STEPS[step] ?? sentence(step);
  switch (name) {
    case 'ready':
      return {
        ...line,
        phase: READY,
        detail: 'status ready',
        text: 'Ready: a click opens Link without another request',
      };
    case 'fbc-open':
      return { ...line, phase: LINK, actor: 'customer', text: 'Opens Link' };
    case 'fbc-step': {
      if (SILENT.test(step)) return undefined;
      const isOurs = /^(connecting|choose_account|authorize)$/.test(step);
      return {
        ...line,
        actor: isOurs ? 'page' : 'customer',
        phase: isOurs ? MAKING : LINK,
        text: word,
        detail: `fbc-step ${step}`,
      };
    }
    case 'fbc-connected':
      return { ...line, phase: OUTCOME, text: `${bank} is connected and can be charged` };
    case 'fbc-pending':
      return { ...line, phase: OUTCOME, text: `${bank} is connected; the bank has yet to confirm it` };
    case 'fbc-needs-repair':
      return { ...line, phase: OUTCOME, text: `${bank} needs another sign-in`, failed: true };
    case 'fbc-canceled':
      return {
        ...line,
        phase: OUTCOME,
        actor: 'customer',
        text: `Leaves ${LEFT_AT[step] ?? `at “${word}”`}; nothing is kept`,
      };
    default: {
      const error = has('error') as FbcEventMap['fbc-error']['detail']['error'] | null;
      return {
        ...line,
        phase: OUTCOME,
        text: error?.message ?? 'Stopped',
        detail: `fbc-error ${error?.code}`,
        failed: true,
      };
    }
  }
}

const CALLS: [what: RegExp, phase: Phase, text: string][] = [
  [/^POST \/v1\/sessions$/, READY, 'Asks for a session for its customer, with the merchant’s key'],
  [/^GET \/v1\/connections/, OUTCOME, 'Fetches the connection with its key and compares the customer'],
  [/link\/token\/create$/, READY, 'Issues a link token: permission to open Link once'],
  [/public_token\/exchange$/, MAKING, 'Exchanges the public token for an access token'],
  [/accounts\/get$/, MAKING, 'Lists the accounts; the server believes this list, not the browser'],
  [/identity\/get$/, MAKING, 'Tells who owns the account'],
  [/processor\/token\/create$/, MAKING, 'Makes a token that only Finix can use'],
  [/item\/remove$/, OUTCOME, 'Removes the login: it is not needed'],
  [/^POST \/identities$/, MAKING, 'Creates an identity for the customer'],
  [/^GET \/identities/, MAKING, 'Looks up the customer’s identity'],
  [/^POST \/payment_instruments$/, MAKING, 'Makes the payment instrument'],
  [/^GET .*payment_instruments/, MAKING, 'Looks whether the payment instrument exists already'],
  [/^PUT \/payment_instruments/, MAKING, 'Disables a surplus payment instrument'],
];

const POINTS: Record<string, [phase: Phase, text: string]> = {
  started: [MAKING, 'Has the public token, stored encrypted'],
  item_linked: [MAKING, 'Has the access token, stored encrypted'],
  identity_ready: [MAKING, 'Knows the accounts and who will own them at Finix'],
  instrument_created: [MAKING, 'Has the payment instrument'],
  finished: [OUTCOME, 'Finished; nothing is left to do'],
};

/** A step behind the page. */
export function fromServer({ at, actor, what, status, ms }: ServerStep): Line {
  if (actor === 'server') {
    const [phase, text] = POINTS[what] ?? [OUTCOME, `The ${what.replace('_', ' ')}`];
    return { at: new Date(at), actor, phase, text, detail: POINTS[what] ? `recovery point ${what}` : what };
  }
  const [, phase, text] = CALLS.find(([pattern]) => pattern.test(what)) ?? [null, MAKING, what];
  const failed = status === null || (status ?? 0) >= 400;
  const outcome = status === null ? 'no answer' : String(status);
  const told = status === null ? `${text}: no answer` : `${text}: refused`;
  return {
    at: new Date(at),
    actor,
    phase,
    text: failed ? told : text,
    detail: `${what} · ${outcome} · ${ms} ms`,
    failed,
  };
}

function sentence(name: string): string {
  const text = name.replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
