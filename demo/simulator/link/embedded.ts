/** The institution search inside the shop's page: tiles and a search that open the dialog at the chosen bank. */
export const EMBEDDED_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>Find your bank (simulator)</title>
<link rel="stylesheet" href="/link/dialog.css">
<link rel="stylesheet" href="/link/embedded.css">
<script type="module" src="/link/embedded.js"></script>
</head>
<body class="embedded">
<main>
  <p class="notice"><span><b>Simulator</b> — not a real bank</span></p>
  <h1 class="hidden">Find your bank</h1>
  <label class="field search"><span class="hidden">Search for a bank</span><input id="search" type="search" placeholder="Search for a bank" autocomplete="off" spellcheck="false"></label>
  <ul class="tiles" id="tiles" aria-label="Banks"></ul>
  <p class="small center" id="count" role="status"></p>
</main>
</body>
</html>
`;

export const EMBEDDED_STYLES = `
body.embedded { color-scheme: var(--scheme); }
.embedded main { background: var(--paper); display: flex; flex-direction: column; gap: 10px; height: 100%; border: 1px solid var(--line); border-radius: 14px; overflow: hidden; }
.embedded .notice { flex: none; }
.embedded .field { flex: none; padding: 0 12px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.tiles { flex: 1; min-height: 0; overflow: auto; display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 8px; align-content: start;
  padding: 4px 12px; }
.tile { display: flex; flex-direction: column; gap: 6px; align-items: center; width: 100%; height: 100%; min-height: 88px; padding: 10px 6px; border: 1px solid var(--line);
  border-radius: 12px; background: none; font-size: 12.5px; line-height: 1.25; text-align: center; cursor: pointer; }
.tile:hover { background: var(--wash); border-color: var(--edge); }
.embedded .small { flex: none; padding: 0 12px 10px; }
`;

export const EMBEDDED_CLIENT = `
import { call, h, mark } from './dom.js';

const CHANNEL = 'bank-connect-simulator-link';
// Plaid shows two to fifteen tiles, by the space there is.
const MOST_TILES = 15;
const byId = (id) => document.getElementById(id);
let host = null;
let banks = [];

function post(message) {
  window.parent.postMessage(Object.assign({ channel: CHANNEL }, message), host);
}

function draw() {
  const wanted = byId('search').value.trim().toLowerCase();
  const found = banks.filter((bank) => bank.name.toLowerCase().includes(wanted)).slice(0, MOST_TILES);
  byId('count').textContent = found.length === 0 ? 'There is no such bank here.' : wanted ? found.length + (found.length === 1 ? ' bank' : ' banks') : '';
  byId('tiles').replaceChildren(...found.map((bank) => h('li', {},
    h('button', { class: 'tile', type: 'button', onclick: () => post({ kind: 'choose', institution_id: bank.institution_id }) }, mark(bank), h('span', {}, bank.name)))));
}

byId('search').addEventListener('input', draw);
window.addEventListener('message', async (event) => {
  if (event.source !== window.parent || host !== null || !event.data || event.data.channel !== CHANNEL || event.data.kind !== 'init') return;
  host = event.origin;
  const reply = await call('embedded', { link_token: event.data.token });
  if (reply.next !== 'institutions') {
    byId('count').textContent = 'The search is not available.';
    return post({ kind: 'refused', error: reply.error });
  }
  banks = reply.institutions;
  draw();
});
// States no more than that the frame is there, so it may go to any page that framed it.
window.parent.postMessage({ channel: CHANNEL, kind: 'ready' }, '*');
`;
