/**
 * Small helpers for the frame's pages: elements without markup in strings, calls to the simulator. Plain JavaScript,
 * served as it is.
 */
export const DOM_CLIENT = `
const SVG = 'http://www.w3.org/2000/svg';

/** h('button', { class: 'primary', onclick: f }, 'Continue') */
export function h(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const PATHS = {
  lock: 'M5 9.5h10v7H5zM7 9.5V7a3 3 0 0 1 6 0v2.5',
  eye: 'M2 10s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5Zm8 2.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4Z',
  bolt: 'M11 2.5 4.5 11H10l-1 6.5L15.5 9H10z',
  check: 'm4.5 10.5 3.7 3.7 7.3-8',
  alert: 'M10 5.5v5.2m0 3.6v.2',
  next: 'm8 5.5 4.5 4.5L8 14.5',
  out: 'M8 4.5H4.5v11h11V12M11 4.5h4.5V9m0-4.5L9 11',
};

export function icon(name, size) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('width', size || 20);
  svg.setAttribute('height', size || 20);
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  const look = { d: PATHS[name], fill: 'none', stroke: 'currentColor', 'stroke-width': '1.6', 'stroke-linecap': 'round', 'stroke-linejoin': 'round' };
  for (const [key, value] of Object.entries(look)) path.setAttribute(key, value);
  svg.append(path);
  return svg;
}

export function mark(bank, isBig) {
  const words = bank.name.replace(/[^A-Za-z ]/g, '').split(' ').filter(Boolean);
  const element = h('span', { class: isBig ? 'mark big' : 'mark', 'aria-hidden': 'true' }, words.slice(0, 2).map((word) => word[0]).join(''));
  // Through the object model: the page's policy allows no style attributes.
  element.style.setProperty('background', bank.color);
  return element;
}

/** Calls the simulator; what goes wrong on the way is shown like an error of Plaid's. */
export async function call(path, body) {
  try {
    const response = await fetch('/link/api/' + path, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body)
    });
    if (!response.ok) throw new Error(String(response.status));
    return await response.json();
  } catch {
    return { next: 'error', error: { error_type: 'API_ERROR', error_code: 'INTERNAL_SERVER_ERROR',
      error_message: 'an unexpected error occurred', display_message: 'Something went wrong. Please try again.' } };
  }
}
`;

/** The frame: talks to the page that opened it, walks from pane to pane. */
export const DIALOG_CLIENT = `
import { call } from './dom.js';
import { panes, showPane } from './panes.js';

const CHANNEL = 'bank-connect-simulator-link';
const isHosted = location.pathname.includes('/hosted/');
const byId = (id) => document.getElementById(id);
// The place that the customer left from, for onExit.
const STATUS = { credentials: 'requires_credentials', code: 'requires_code', accounts: 'requires_account_selection', oauth: 'requires_oauth' };
const STEPS = ['consent', 'institutions', 'credentials', 'accounts', 'success'];
const STEP_OF = { oauth: 'credentials', code: 'credentials' };

const flow = {
  host: null, token: null, redirect: null, start: null, first: null, institution: null,
  view: 'loading', status: 'institution_not_found', error: null, result: null, isOpen: false, search: '',

  get session() { return flow.start ? flow.start.link_session_id : ''; },

  event(name, metadata) {
    post({ kind: 'event', name, metadata: flow.describe(metadata) });
  },
  describe(metadata) {
    return Object.assign({
      institution_id: flow.institution && flow.institution.institution_id,
      institution_name: flow.institution && flow.institution.name,
      is_update_mode: flow.start && flow.start.is_update ? '1' : '0',
      link_session_id: flow.session, request_id: requestId(), timestamp: new Date().toISOString()
    }, metadata);
  },

  show(view, details) {
    flow.view = view;
    if (STATUS[view]) flow.status = STATUS[view];
    if (view === 'consent' || view === 'institutions') flow.status = 'institution_not_found';
    if (view !== 'error') flow.error = null;
    const names = { institutions: 'SELECT_INSTITUTION', credentials: 'CREDENTIAL', accounts: 'SELECT_ACCOUNT', code: 'MFA', success: 'CONNECTED', waiting: 'LOADING' };
    flow.event('TRANSITION_VIEW', { view_name: names[view] || view.toUpperCase() });
    drawProgress(STEP_OF[view] || view);
    byId('close').hidden = view === 'done' || view === 'over';
    byId('back').hidden = !panes[view].back;
    byId('back').onclick = () => { if (panes[view].back) flow.show(panes[view].back(flow)); };
    showPane(byId('pane'), panes[view], flow, details || {});
  },

  /** Sends a step to the simulator and goes where its answer points. */
  async step(path, body, onRetry) {
    if (!onRetry) flow.show('waiting');
    const session = flow.session;
    const reply = await call(path, Object.assign({ session }, body));
    // Link may have been left, and even opened again, in the meantime.
    if (session === flow.session) flow.follow(reply, onRetry);
  },
  follow(reply, onRetry) {
    if (!flow.isOpen) return;
    if (reply.error) flow.event('ERROR', { error_type: reply.error.error_type, error_code: reply.error.error_code, error_message: reply.error.error_message });
    if (reply.next === 'expired') return flow.leave(reply.error);
    if (reply.next === 'retry' && onRetry) { flow.error = reply.error; return onRetry(reply.error); }
    if (reply.next === 'error' || reply.next === 'retry') { flow.error = reply.error; return flow.show('error', reply); }
    if (reply.next === 'success') flow.result = reply;
    flow.show(reply.next, reply);
  },

  /** The bank's own page in the place of the shop's; the script there goes, because this frame must not. */
  goTo(path) {
    const url = new URL(path, location.href).href;
    if (isHosted) location.assign(url);
    else post({ kind: 'go', url });
  },

  /** Ends Link: with success once there is a result, else with an exit. */
  leave(error) {
    if (flow.result) return finish({ kind: 'success', public_token: flow.result.public_token, metadata: flow.result.metadata, event: flow.describe({}) });
    const problem = error || flow.error || null;
    call('exit', { session: flow.session, status: flow.status, error_code: problem && problem.error_code });
    const metadata = exitMetadata();
    const details = problem ? { error_type: problem.error_type, error_code: problem.error_code, error_message: problem.error_message } : {};
    return finish({ kind: 'exit', error: problem, metadata, event: flow.describe(Object.assign({ exit_status: flow.status }, details)) });
  },
  ask() {
    if (flow.view === 'consent' || flow.view === 'loading' || flow.view === 'success') return flow.leave();
    toggleConfirm(true);
  }
};

function exitMetadata() {
  const { institution } = flow;
  return { institution: institution ? { name: institution.name, institution_id: institution.institution_id } : null,
    status: flow.status, link_session_id: flow.session, request_id: requestId() };
}

function requestId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(15)), (byte) => (byte % 36).toString(36)).join('');
}

function post(message) {
  if (!flow.host) return;
  window.parent.postMessage(Object.assign({ channel: CHANNEL }, message), flow.host);
}

function finish(message) {
  flow.isOpen = false;
  toggleConfirm(false);
  document.documentElement.classList.remove('is-open');
  // A new session for the next time that the same handler is opened. Until it has begun there is nothing to press.
  const restart = () => {
    flow.start = null; flow.first = null; flow.redirect = null; flow.result = null; flow.error = null; flow.institution = null;
    flow.view = 'loading';
    byId('pane').replaceChildren();
    byId('back').hidden = true;
  };
  if (!isHosted) { post(message); restart(); return; }
  document.documentElement.classList.add('is-open');
  const target = flow.start && flow.start.completion_redirect_uri;
  if (target) return location.assign(target);
  flow.show('done', { isConnected: message.kind === 'success' });
  // Only a window that a page opened can be closed; any other stays at the last pane.
  window.close();
}

function toggleConfirm(isShown) {
  byId('confirm').hidden = !isShown;
  byId('pane').inert = isShown;
  document.querySelector('.bar').inert = isShown;
  if (isShown) byId('stay').focus();
  else if (flow.isOpen) byId('close').focus();
}

function drawProgress(view) {
  const at = STEPS.indexOf(view);
  if (at < 0) return;
  byId('progress').replaceChildren(...STEPS.map((_, index) => {
    const bar = document.createElement('i');
    bar.className = index <= at ? 'done' : '';
    return bar;
  }));
}

async function begin() {
  const given = isHosted ? { hosted_id: location.pathname.split('/').pop(), received_redirect_uri: hostedReturn() }
    : { link_token: flow.token, received_redirect_uri: flow.redirect };
  const reply = await call('start', given);
  if (reply.link_session_id) {
    // After the bank's page Link goes on where it was.
    if (reply.is_return) flow.first = reply;
    flow.start = reply;
    flow.institution = reply.institution;
    document.documentElement.dataset.appearance = reply.appearance;
  } else {
    flow.error = reply.error;
  }
}

function hostedReturn() {
  return location.search.includes('oauth_state_id=') ? location.href : null;
}

async function open(preselected) {
  flow.isOpen = true;
  document.documentElement.classList.add('is-open');
  if (!flow.start) await begin();
  if (!flow.start) {
    if (isHosted) return flow.show('over');
    return flow.leave(flow.error);
  }
  flow.event('OPEN', {});
  const reply = await call('open', { session: flow.session });
  if (reply.next === 'expired') return flow.leave(reply.error);
  if (flow.first) return flow.follow(flow.first);
  flow.institution = flow.start.institution || flow.start.institutions.find((bank) => bank.institution_id === preselected) || null;
  flow.isChosen = flow.institution !== null;
  flow.show('consent');
}

/** What a customer would press next, for a page that plays its own demonstration. One press for each message. */
function advance(bank) {
  const pane = byId('pane');
  if (flow.view === 'institutions') {
    const rows = [...pane.querySelectorAll('.row')];
    return (rows.find((row) => row.textContent.includes(bank)) || rows[0]).click();
  }
  const code = pane.querySelector('[name=code]');
  if (code && code.value === '') { code.value = '1234'; return undefined; }
  const account = pane.querySelector('[name=account]');
  if (account && !pane.querySelector('[name=account]:checked')) return account.click();
  const button = flow.view === 'error' ? pane.querySelector('.plain') : pane.querySelector('.primary');
  return button && button.click();
}

byId('close').addEventListener('click', () => flow.ask());
byId('stay').addEventListener('click', () => toggleConfirm(false));
byId('leave').addEventListener('click', () => flow.leave());

document.addEventListener('keydown', (event) => {
  if (!flow.isOpen) return;
  if (event.key === 'Escape') {
    event.preventDefault();
    if (byId('confirm').hidden) flow.ask(); else toggleConfirm(false);
  }
  if (event.key !== 'Tab') return;
  const scope = byId('confirm').hidden ? byId('card') : byId('confirm');
  const stops = [...scope.querySelectorAll('button, input, summary, a[href]')]
    .filter((element) => !element.disabled && !element.closest('[inert]') && element.checkVisibility({ visibilityProperty: true }));
  const first = stops[0], last = stops[stops.length - 1];
  const at = document.activeElement;
  if (event.shiftKey ? at === first || at === byId('card') || !scope.contains(at) : at === last || !scope.contains(at)) {
    event.preventDefault();
    (event.shiftKey ? last : first).focus();
  }
});

if (isHosted) {
  await begin();
  await open();
} else {
  window.addEventListener('message', async (event) => {
    // From any window of the host's origin: the page may itself be in a frame of the demonstration that plays it.
    if (flow.isOpen && event.origin === flow.host && event.data && event.data.channel === CHANNEL && event.data.kind === 'advance') {
      return advance(String(event.data.bank));
    }
    if (event.source !== window.parent || !event.data || event.data.channel !== CHANNEL) return;
    if (flow.host !== null && event.origin !== flow.host) return;
    const message = event.data;
    if (message.kind === 'init' && flow.host === null) {
      flow.host = event.origin;
      flow.token = message.token;
      flow.redirect = message.receivedRedirectUri;
      await begin();
      // Reported before anything is opened, with the callback of an exit, as Plaid documents it. An open that is
      // already waiting reports it instead.
      if (flow.error) post({ kind: 'failed', error: flow.error, metadata: exitMetadata(), event: flow.describe({}) });
      post({ kind: 'loaded' });
    } else if (message.kind === 'open' && !flow.isOpen) {
      await open(message.institution_id);
    } else if (message.kind === 'leave' && flow.isOpen) {
      if (message.force) flow.leave(); else flow.ask();
    }
  });
  // States no more than that the frame is there, so it may go to any page that framed it.
  window.parent.postMessage({ channel: CHANNEL, kind: 'ready' }, '*');
}
`;

/** The bank's own window. */
export const OAUTH_CLIENT = `
import { call } from './dom.js';

const state = location.pathname.split('/').pop();
const byId = (id) => document.getElementById(id);
const { bank } = await call('oauth-bank', { state });
if (bank) {
  byId('bank-name').textContent = 'Sign in to ' + bank.name;
  byId('mark').style.setProperty('background', bank.color);
  byId('username').value = bank.username;
}

async function answer(granted) {
  const reply = await call('oauth-answer', { state, granted, username: byId('username').value.trim() });
  if (reply.next === 'success') return reply.return_to ? location.assign(reply.return_to) : window.close();
  byId('problem').textContent = reply.error.display_message || 'This sign-in is over. Go back and start again.';
  byId('problem').hidden = false;
}

byId('form').addEventListener('submit', (event) => { event.preventDefault(); answer(true); });
byId('decline').addEventListener('click', () => answer(false));
// Before this a click would have been lost.
byId('main').hidden = false;
`;
