/**
 * The panes of the dialog, one object each: `back` names the pane before, `draw` returns what to show. Plain
 * JavaScript, served as it is.
 */
export const PANES_CLIENT = `
import { call, h, icon, mark } from './dom.js';

const title = (text) => h('h1', { id: 'title', tabindex: '-1' }, text);
const lead = (text) => h('p', { class: 'lead' }, text);
const primary = (text, onclick, more) => h('button', Object.assign({ class: 'primary', type: onclick ? 'button' : 'submit', onclick }, more), text);
const plain = (text, onclick) => h('button', { class: 'plain', type: 'button', onclick }, text);
const dollars = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' });

function point(name, strong, text) {
  return h('li', {}, h('span', { class: 'dot' }, icon(name)), h('span', { class: 'text' }, h('b', {}, strong), text));
}

function field(label, attributes) {
  return h('label', { class: 'field' }, h('span', {}, label), h('input', Object.assign({ autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' }, attributes)));
}

/** A form that shows its problem in place and keeps what was typed. */
function form(flow, path, button, fields, read, before) {
  const problem = h('p', { class: 'problem', role: 'alert', hidden: true });
  const submit = primary(button);
  let isBusy = false;
  const retry = (error) => {
    isBusy = false;
    submit.textContent = button;
    problem.textContent = error.display_message || error.error_message;
    problem.hidden = false;
    const inputs = [...element.querySelectorAll('input')];
    for (const each of inputs) each.setAttribute('aria-invalid', 'true');
    const input = inputs[inputs.length - 1];
    input.focus();
    input.select();
  };
  const element = h('form', { class: 'stack', novalidate: true, onsubmit: (event) => {
    event.preventDefault();
    if (isBusy) return;
    const empty = [...element.querySelectorAll('input')].find((input) => input.value.trim() === '');
    if (empty) { problem.textContent = 'Please fill in every field.'; problem.hidden = false; empty.focus(); return; }
    isBusy = true;
    submit.textContent = 'One moment…';
    problem.hidden = true;
    if (before) before();
    flow.step(path, read(element), retry);
  } }, problem, ...fields, h('div', { class: 'foot' }, submit));
  return element;
}

export const panes = {
  consent: {
    draw: (flow) => [
      title(flow.start.is_update ? 'Reconnect your bank to ' + flow.start.client_name : 'Connect your bank to ' + flow.start.client_name),
      lead('Sign in to your bank, then choose the account to use.'),
      h('ul', { class: 'points' },
        point('bolt', 'Quick', 'Most people are done in under a minute.'),
        point('eye', 'You choose what is shared', flow.start.client_name + ' gets the account you pick, and the name on it.'),
        point('lock', 'Private', flow.start.client_name + ' never sees your user name or password.')),
      h('div', { class: 'foot' },
        primary('Continue', async () => {
          flow.event('VIEW_DATA_TYPES', {});
          if (!flow.isChosen) return flow.show('institutions');
          return flow.step('institution', { institution_id: flow.institution.institution_id });
        }))
    ]
  },

  institutions: {
    back: () => 'consent',
    draw: (flow) => {
      let pending = 0;
      const list = h('ul', { class: 'list', id: 'banks', 'aria-label': 'Banks' });
      const count = h('p', { class: 'small', role: 'status' });
      const choose = (bank) => {
        clearTimeout(pending);
        flow.institution = bank;
        const names = { degraded: 'SELECT_DEGRADED_INSTITUTION', down: 'SELECT_DOWN_INSTITUTION' };
        flow.event('SELECT_INSTITUTION', {});
        if (names[bank.health]) flow.event(names[bank.health], {});
        flow.step('institution', { institution_id: bank.institution_id });
      };
      const draw = (text) => {
        const wanted = text.trim().toLowerCase();
        const found = flow.start.institutions.filter((bank) => bank.name.toLowerCase().includes(wanted));
        count.textContent = found.length === 0 ? '' : wanted ? found.length + (found.length === 1 ? ' bank' : ' banks') : 'Invented banks, and those of Plaid’s Sandbox';
        list.replaceChildren(...found.map((bank) => h('li', {},
          h('button', { class: 'row', type: 'button', onclick: () => choose(bank) }, mark(bank),
            h('span', {}, h('b', {}, bank.name), h('small', {}, bank.url.replace('https://', ''))), icon('next', 18)))));
        if (found.length === 0) {
          list.append(h('li', { class: 'empty', role: 'status' }, h('b', {}, 'No results'), h('span', {}, 'There is no bank called “' + text.trim() + '” here. Try “Platypus” or “Harbor”.')));
        }
      };
      const input = h('input', { type: 'search', value: flow.search, placeholder: 'Search for a bank', 'aria-label': 'Search for a bank', 'aria-controls': 'banks',
        autocomplete: 'off', spellcheck: 'false', oninput: () => {
          flow.search = input.value;
          draw(input.value);
          // One event for what was typed, not one for each key.
          clearTimeout(pending);
          pending = setTimeout(() => flow.event('SEARCH_INSTITUTION', { institution_search_query: input.value }), 500);
        } });
      draw(flow.search);
      return [title('Choose your bank'), h('div', { class: 'field search' }, input), count, list];
    }
  },

  credentials: {
    back: (flow) => (flow.start.is_update ? 'consent' : 'institutions'),
    draw: (flow) => {
      const username = field('User name', { name: 'username', value: flow.start.username });
      const password = field('Password', { name: 'password', type: 'password', value: 'pass_good' });
      const hints = h('details', {}, h('summary', {}, 'User names to try'), h('ul', {}, flow.start.hints.map((hint) => h('li', {},
        h('button', { class: 'hint', type: 'button', onclick: () => { username.querySelector('input').value = hint.username; username.querySelector('input').focus(); } },
          h('code', {}, hint.username), h('span', {}, hint.description))))));
      return [
        mark(flow.institution, true),
        title('Sign in to ' + flow.institution.name),
        flow.institution.health === 'degraded' ? h('p', { class: 'problem' }, 'This bank has trouble right now. It may take more than one try.') : null,
        form(flow, 'credentials', 'Sign in', [username, password,
          h('p', { class: 'small' }, 'The password is ', h('code', {}, 'pass_good'), '. With ', h('code', {}, 'mfa_device'), ' the bank asks for a code, and ',
            h('code', {}, 'error_ITEM_LOCKED'), ' brings that error.'), hints],
          (element) => ({ username: element.elements.username.value.trim(), password: element.elements.password.value }),
          () => flow.event('SUBMIT_CREDENTIALS', {}))
      ];
    }
  },

  code: {
    back: () => 'credentials',
    draw: (flow) => [
      mark(flow.institution, true),
      title('Confirm it is you'),
      lead(flow.institution.name + ' would have sent you a code. Here it is always 1234.'),
      form(flow, 'code', 'Continue', [field('Code', { name: 'code', inputmode: 'numeric', maxlength: '8' })],
        (element) => ({ code: element.elements.code.value.trim() }), () => flow.event('SUBMIT_MFA', { mfa_type: 'code' }))
    ]
  },

  oauth: {
    back: () => 'institutions',
    draw: (flow, details) => {
      let popup = null;
      let timer = 0;
      const stop = () => { clearInterval(timer); };
      const watch = () => {
        stop();
        // The bank's window answers to the simulator, not to this frame, so this asks.
        timer = setInterval(async () => {
          if (flow.view !== 'oauth') return stop();
          const closed = popup && popup.closed;
          const reply = await call('oauth', { session: flow.session });
          if (flow.view !== 'oauth') return stop();
          if (reply.next !== 'oauth') { stop(); return flow.follow(reply); }
          if (closed) { stop(); flow.event('CLOSE_OAUTH', {}); status.textContent = 'The bank’s window was closed. You can open it again.'; }
        }, 400);
      };
      const status = h('p', { class: 'small', role: 'status' });
      if (details.how === 'nowhere') return [
        mark(flow.institution, true),
        title(flow.institution.name + ' cannot be opened here'),
        lead('This browser belongs to another app and opens no windows, and there is no address for the bank to come back to.'),
        h('div', { class: 'foot' }, primary('Choose another bank', () => flow.show('institutions')), plain('Close', () => flow.leave()))
      ];
      if (details.how === 'redirect') return [
        mark(flow.institution, true),
        title('Continue at ' + flow.institution.name),
        lead('The bank has its own sign-in. It takes the place of this page and brings you back.'),
        h('div', { class: 'foot' }, primary('Continue', () => { flow.event('OPEN_OAUTH', {}); flow.goTo(details.url); }))
      ];
      return [
        mark(flow.institution, true),
        title('Continue at ' + flow.institution.name),
        lead('The bank has its own sign-in. It opens in another window; come back here when you are done.'),
        status,
        h('div', { class: 'foot' }, h('button', { class: 'primary', type: 'button', onclick: () => {
          flow.event('OPEN_OAUTH', {});
          popup = window.open(details.url, '_blank', 'popup,width=480,height=640');
          status.textContent = popup ? 'Waiting for the bank’s window…' : 'The browser blocked the window. Allow it and try again.';
          if (popup) watch();
        } }, 'Continue'))
      ];
    }
  },

  accounts: {
    draw: (flow, { accounts }) => {
      const kind = flow.start.multiple ? 'checkbox' : 'radio';
      const problem = h('p', { class: 'problem', role: 'alert', hidden: true });
      const next = primary('Continue');
      const look = () => {
        // It still takes a press, and then shows what is missing.
        next.setAttribute('aria-disabled', String(!group.querySelector('input:checked')));
        problem.hidden = true;
      };
      const group = h('fieldset', { class: 'accounts', onchange: look }, h('legend', { class: 'small' }, flow.start.multiple ? 'Pick one or more' : 'Pick one'),
        accounts.map((account) => h('label', { class: 'account' },
          h('input', { type: kind, name: 'account', value: account.id, checked: accounts.length === 1 }),
          h('span', {}, h('b', {}, account.name), h('small', {}, account.subtype[0].toUpperCase() + account.subtype.slice(1) + ' ••••' + account.mask)),
          h('span', { class: 'sum' }, dollars.format(account.balance)))));
      look();
      return [
        title(flow.start.multiple ? 'Which accounts?' : 'Which account?'),
        lead('Only accounts that ' + flow.start.client_name + ' can use are shown.'),
        h('form', { class: 'stack', novalidate: true, onsubmit: (event) => {
          event.preventDefault();
          const account_ids = [...group.querySelectorAll('input:checked')].map((input) => input.value);
          if (account_ids.length === 0) { problem.textContent = 'Please pick an account.'; problem.hidden = false; return; }
          flow.step('accounts', { account_ids });
        } }, group, problem, h('div', { class: 'foot' }, next))
      ];
    }
  },

  success: {
    draw: (flow) => [
      h('div', { class: 'middle' }, h('span', { class: 'badge' }, icon('check', 34)), title('Your account is ready'),
        lead(flow.result.metadata.accounts.map((account) => account.name + ' ••••' + account.mask).join(', ') + ' at ' + flow.result.metadata.institution.name)),
      h('div', { class: 'foot' }, primary('Finish', () => flow.leave()))
    ]
  },

  error: {
    draw: (flow, { error }) => [
      h('div', { class: 'middle' }, h('span', { class: 'badge bad' }, icon('alert', 36)),
        title(error.error_type === 'INSTITUTION_ERROR' ? 'This bank is not available' : 'That did not work'),
        lead(error.display_message || error.error_message), h('p', { class: 'small' }, 'For support: ', h('code', {}, error.error_code))),
      h('div', { class: 'foot' },
        flow.start.is_update ? primary('Try again', () => flow.show('consent')) : primary('Choose another bank', () => flow.show('institutions')),
        plain('Close', () => flow.leave(error)))
    ]
  },

  waiting: {
    draw: () => [h('div', { class: 'middle' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), title('One moment'), h('p', { class: 'small', role: 'status' }, 'The simulated bank is answering.'))]
  },
  done: {
    draw: (_flow, { isConnected }) => [h('div', { class: 'middle' }, h('span', { class: 'badge' }, icon(isConnected ? 'check' : 'out', 32)),
      title(isConnected ? 'You are done here' : 'You left without connecting'), lead('You can close this window and go back.'))]
  },
  over: {
    draw: () => [h('div', { class: 'middle' }, h('span', { class: 'badge bad' }, icon('alert', 36)), title('This link is over'), lead('Go back and start again.'))]
  }
};

/** Puts a pane on screen and the reader at its title. */
export function showPane(place, pane, flow, details) {
  place.replaceChildren(...pane.draw(flow, details).filter(Boolean));
  place.scrollTop = 0;
  const search = place.querySelector('input[type=search]');
  // On a touch screen the keyboard would cover the list at once.
  const target = search && matchMedia('(pointer: fine)').matches ? search : place.querySelector('h1');
  target.focus({ preventScroll: true });
}
`;
