import type { Place, Step } from '../step.ts';
import {
  BANK,
  CHANGES,
  CHECK_REASONS,
  FINIX_EVENTS,
  LINK,
  PLAID_ERRORS,
  PLAID_EVENTS,
  RETURN_CODES,
} from './vocabulary.ts';

export const CHAPTERS = [
  'Getting ready',
  'The customer in Link',
  'From login to payment method',
  'Moving the money',
  'What happens later',
] as const;
export type Chapter = (typeof CHAPTERS)[number];
const [READY, IN_LINK, MAKING, MONEY, LATER] = CHAPTERS;

/** One line for the panel. What has an outcome says it only once the answer is there, and as the answer says it. */
export interface Line {
  who: string;
  actor: Place;
  text: string;
  failed: boolean;
  /** Undefined: stays in the chapter before. */
  chapter: Chapter | undefined;
}

type Json = Record<string, unknown>;

export interface Names {
  customer: string;
  merchant: string;
}

interface Words {
  chapter?: Chapter;
  /** What is asked for; also the beginning of a refusal. */
  ask: string | ((request: Json) => string);
  /** What the answer says; the question where it is left out. */
  done?: (response: Json, request: Json, names: Names) => string;
}

const count = (value: unknown, one: string, many = `${one}s`): string => {
  const length = Array.isArray(value) ? value.length : 0;
  return `${length === 0 ? 'no' : length} ${length === 1 ? one : many}`;
};
const short = (id: unknown): string => {
  const text = String(id ?? '');
  return text.length > 10 ? `${text.slice(0, 2)}…${text.slice(-4)}` : text;
};
const money = (cents: unknown): string =>
  (Number(cents) / 100).toLocaleString('en-US', { style: 'currency', currency: 'USD' });
const object = (value: unknown): Json => (value !== null && typeof value === 'object' ? (value as Json) : {});
const list = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : []);

/** `Bank ••0000` of a connection. */
function bankOf(connection: Json): string {
  const { name } = object(connection['institution']);
  const { mask } = object(connection['account']);
  return `${name ?? 'the bank'} ••${mask ?? ''}`;
}

/** How a session says that its connections are. */
function sessionOutcome(session: Json): string {
  const [connection] = list(session['connections']);
  const problem = object(session['error']);
  if (problem['title']) return `gets the reason: ${problem['title']}`;
  if (session['status'] === 'processing') return 'learns that the session is processing';
  if (!connection) return `learns that the session is ${String(session['status']).replaceAll('_', ' ')}`;
  const state = STATES[String(connection['status'])] ?? String(connection['status']);
  return `gets: ${bankOf(connection)} ${state}`;
}

const STATES: Record<string, string> = {
  active: 'is connected',
  pending: 'is being connected',
  pending_verification: 'is connected, and the bank has yet to confirm it',
  needs_repair: 'needs another sign-in',
  revoked: 'is revoked',
  removed: 'is removed',
  failed: 'can’t be used',
};

/** Every call that the demo knows, by receiver. */
const CALLS: Record<string, Words> = {
  'connect POST /v1/sessions': {
    chapter: READY,
    ask: ({ connection }) =>
      connection ? 'asks for a session to repair the login' : 'asks for a session for its customer',
    done: (_r, { connection }, { customer }) =>
      connection ? 'gets a session that repairs the login' : `gets a session for ${customer}, with its secret key`,
  },
  'connect GET /v1/sessions/{id}': { ask: 'checks the session', done: sessionOutcome },
  'connect POST /v1/sessions/{id}/link-token': {
    ask: 'asks for a link token',
    done: () => 'has a link token: one click opens Link',
  },
  'connect POST /v1/sessions/{id}/complete': {
    chapter: MAKING,
    ask: 'hands over the one-time public token',
    done: sessionOutcome,
  },
  'connect GET /v1/sessions/{id}/institutions/{id}/logo': { ask: 'asks for the bank’s logo' },
  'connect POST /v1/sessions/{id}/link-exit': { ask: 'reports that the customer left Link' },
  'connect GET /v1/connections/{id}': {
    chapter: MONEY,
    ask: 'fetches the connection with its secret key',
    done: ({ customer_id }) => `fetches the connection: it belongs to ${customer_id}`,
  },
  'connect POST /v1/connections/{id}/check': {
    chapter: MONEY,
    ask: ({ amount }) => `asks: may ${money(amount)} be moved?`,
    done: ({ decision, reasons }, { amount }) => {
      const why = list(reasons).map(({ code, message }) => CHECK_REASONS[String(code)] ?? String(message));
      if (decision === 'ok') return `asks: may ${money(amount)} be moved? Yes`;
      return `asks: may ${money(amount)} be moved? ${decision === 'stop' ? 'No' : 'Review'}: ${why.join(', ')}`;
    },
  },
  'connect POST /v1/links': {
    chapter: LATER,
    ask: 'asks for a link to send',
    done: () => 'has a link to send: it opens on any phone',
  },
  'connect GET /v1/links/{id}/qr.svg': { chapter: LATER, ask: 'gets the link as a QR code' },
  'plaid POST /link/token/create': {
    ask: ({ access_token }) => (access_token ? 'asks for a link token to repair the login' : 'asks for a link token'),
    done: (_r, { access_token }) =>
      access_token ? 'gets a link token that opens the same login again' : 'gets a link token: permission to open Link',
  },
  'plaid POST /link/token/get': { ask: 'looks at what the customer did in Link' },
  'plaid POST /item/public_token/exchange': {
    chapter: MAKING,
    ask: 'exchanges the one-time token',
    done: () => 'exchanges the one-time token for one that lasts',
  },
  'plaid POST /accounts/get': {
    ask: 'asks which accounts there are',
    done: ({ accounts }) => `asks Plaid, not the page: ${count(accounts, 'account')}`,
  },
  'plaid POST /item/get': { ask: 'reads the Item' },
  'plaid POST /institutions/get_by_id': { ask: 'asks about the bank' },
  'plaid POST /identity/match': {
    ask: 'compares the owner with the customer',
    done: ({ accounts }, _r, { customer }) => {
      const score = object(object(list(accounts)[0])['legal_name'])['score'];
      return score === null || score === undefined
        ? 'asks who owns the account: the bank does not say'
        : `compares the owner with ${customer}: ${score} of 100`;
    },
  },
  'plaid POST /identity/get': { ask: 'asks who owns the account' },
  'plaid POST /processor/token/create': {
    ask: 'asks for a token for Finix',
    done: () => 'gets a token that only Finix can use',
  },
  'plaid POST /processor/token/permissions/set': { ask: 'limits that token to what Finix needs' },
  'plaid POST /item/webhook/update': { ask: 'sets the webhook URL' },
  'plaid POST /item/remove': { ask: 'ends the access to the bank' },
  'plaid POST /accounts/balance/get': { ask: 'asks the bank for the balance' },
  'plaid POST /signal/evaluate': { ask: 'asks how risky the debit is' },
  'plaid POST /signal/return/report': { ask: 'reports the return' },
  'plaid POST /signal/decision/report': { ask: 'reports the decision' },
  'finix POST /identities': {
    ask: 'creates the customer’s identity',
    done: ({ id }, _r, { customer }) => `creates an identity for ${customer}: ${short(id)}`,
  },
  'finix GET /identities': { ask: 'looks for an identity that may exist already' },
  'finix GET /identities/{id}': { ask: 'reads the customer’s identity' },
  'finix POST /payment_instruments': {
    ask: 'asks for the payment instrument',
    done: ({ id }) => `gets the payment instrument ${short(id)}`,
  },
  'finix GET /payment_instruments': {
    ask: 'lists the customer’s payment instruments',
    done: (response) => {
      const found = Object.values(object(response['_embedded']))[0];
      return `lists the customer’s payment instruments: ${count(found, 'instrument')}`;
    },
  },
  'finix GET /payment_instruments/{id}': { ask: 'reads the payment instrument' },
  'finix PUT /payment_instruments/{id}': {
    ask: 'disables the payment instrument',
    done: ({ id, enabled }) =>
      enabled === false ? `disables ${short(id)}: no debit can use it` : `updates ${short(id)}`,
  },
  'finix POST /transfers': {
    chapter: MONEY,
    ask: ({ amount, source }) => `${source ? 'debits' : 'pays out'} ${money(amount)}`,
    done: ({ id, amount, source }) => `${source ? 'debits' : 'pays out'} ${money(amount)}: transfer ${short(id)}`,
  },
  'finix GET /transfers/{id}': { ask: 'reads the transfer' },
  'finix GET /transfers/{id}/reversals': { ask: 'reads what took the money back' },
};

/** A line for a step; undefined for what no reader needs. */
export function lineOf(step: Step, names: Names): Line | undefined {
  const { kind, from, what } = step;
  if (kind === 'call') return callLine(step, names);
  const facts: Record<string, string> & { bank: string } = { bank: 'The bank', ...step.facts };
  if (kind === 'link') {
    const text = what.startsWith('exit') ? LINK['exit'] : LINK[what];
    if (!text) return undefined;
    return {
      who: names.customer,
      actor: 'browser',
      text: fill(text, facts),
      failed: what.startsWith('exit '),
      chapter: IN_LINK,
    };
  }
  if (kind === 'process') {
    const isKill = what === 'killed';
    const text = isKill
      ? `process ${facts['pid']} is killed in the middle (SIGKILL)`
      : `process ${facts['pid']} takes its place`;
    return { who: 'Connect server', actor: 'connect', text, failed: isKill, chapter: undefined };
  }
  const code = facts['code'] ?? '';
  const [who, text] = BANK[what] ?? [facts.bank, what];
  const named = { ...facts, customer: names.customer, meaning: RETURN_CODES[code] ?? '' };
  return { who: fill(who, named), actor: from, text: fill(text, named), failed: true, chapter: LATER };
}

function callLine(step: Step, names: Names): Line | undefined {
  const { from, to, what, status } = step;
  if (/^POST \/webhooks\//.test(what)) return webhookLine(step);
  const words = CALLS[`${to} ${what}`];
  if (!words) return { who: WHO(from, names), actor: from, text: what, failed: isFailure(step), chapter: undefined };
  const request = object(step.request?.body);
  const response = object(step.response?.body);
  const asked = typeof words.ask === 'function' ? words.ask(request) : words.ask;
  const isRepair = 'connection' in request || 'access_token' in request;
  const line = {
    who: WHO(from, names),
    actor: from,
    failed: isFailure(step),
    chapter: isRepair && words.chapter === READY ? LATER : words.chapter,
  };
  if (status === undefined) return { ...line, text: `${asked} …` };
  if (status === null) return { ...line, text: `${asked}: no answer` };
  if (status >= 400) return { ...line, text: `${asked}: refused. ${refusal(response)}`.trim() };
  return { ...line, text: words.done?.(response, request, names) ?? asked };
}

/** Events are told where the reader is; what has a chapter of its own begins it before they come. */
function webhookLine(step: Step): Line | undefined {
  const body = object(step.request?.body);
  const line = { actor: step.from, failed: isFailure(step), chapter: undefined };
  if (step.to === 'shop') {
    const data = object(body['data']);
    const event = String(body['type']).split('.')[1] ?? '';
    return {
      ...line,
      who: 'Connect server',
      text: `reports to the merchant: ${CHANGES[event] ?? event.replaceAll('_', ' ')} (${bankOf(data)})`,
    };
  }
  if (step.from === 'plaid') {
    const error = object(body['error'])['error_code'];
    const code = String(error ?? body['webhook_code']);
    return {
      ...line,
      who: 'Plaid',
      text: `reports: ${PLAID_EVENTS[code] ?? PLAID_ERRORS[code] ?? code.toLowerCase().replaceAll('_', ' ')}`,
    };
  }
  const [resource] = Object.values(object(body['_embedded'])).flatMap(list);
  const name = `${body['entity']} ${body['type']}`;
  const returned = returnOf(object(resource));
  // The echo of a call that has a line already.
  if (!returned && /^(instrument|transfer) created$/.test(name)) return undefined;
  const text =
    name.startsWith('transfer') && returned ? `the transfer was returned (${returned})` : (FINIX_EVENTS[name] ?? name);
  return { ...line, who: 'Finix', text: `reports: ${text}` };
}

/** The code of a returned transfer. Finix has several places for it, and ids that look like one are none of them. */
function returnOf(transfer: Json): string | undefined {
  const { state, type, subtype, tags, messages, raw, bank_return_details } = transfer;
  const isBack = state === 'FAILED' || state === 'RETURNED' || (type === 'REVERSAL' && subtype === 'SYSTEM');
  if (!isBack) return undefined;
  return /\bR\d\d\b/.exec(JSON.stringify([tags, messages, raw, bank_return_details]))?.[0] ?? 'without a code';
}

function isFailure({ status, what, response }: Step): boolean {
  if (status === undefined) return false;
  const decision = what.endsWith('/check') ? object(response?.body)['decision'] : 'ok';
  return status === null || status >= 400 || decision !== 'ok';
}

/** Plaid's, Finix's and our own way to say why. */
function refusal(response: Json): string {
  const [first] = list(object(response['_embedded'])['errors']);
  const code = String(response['error_code']);
  const reason = response['detail'] ?? first?.['message'] ?? PLAID_ERRORS[code] ?? response['error_message'];
  return reason === undefined ? '' : String(reason);
}

const WHO = (place: Place, { merchant }: Names): string =>
  ({ browser: 'Page', shop: merchant, connect: 'Connect server', plaid: 'Plaid', finix: 'Finix' })[place];

function fill(text: string, facts: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (_all, name: string) => facts[name] ?? '');
}
