/**
 * What the back office's page does, in the browser. Written as a function so that it is checked like everything else,
 * and sent as its source: it may use nothing from outside of itself. The key is in a variable of it and nowhere else.
 */
export function officeScript(): void {
  interface Row {
    id: string;
    customer_id: string;
    status: string;
    expires_at: string;
  }
  interface Problem {
    code?: string;
    detail?: string;
    errors?: { path: string; message: string }[];
  }
  const find = <T extends HTMLElement = HTMLElement>(id: string) => document.getElementById(id) as T;
  const textIn = (id: string) => find<HTMLInputElement>(id).value.trim();
  const { callsPath } = JSON.parse(find('facts').textContent ?? '') as { callsPath: string };
  const FIELDS = ['customer_id', 'first_name', 'last_name', 'email', 'connection', 'version', 'text'];
  let key = '';
  /** Of the request in flight: a repetition after a lost answer makes no second link. */
  let attempt = { body: '', id: '' };

  press(find('enter'), 'gate-notice', async () => {
    const typed = textIn('key');
    if (typed === '') return find('key').focus();
    key = typed;
    await showLinks('');
    find<HTMLInputElement>('key').value = '';
    find('gate').hidden = true;
    find('office').hidden = false;
    find('new-title').focus();
  });
  find('key').addEventListener('keydown', ({ key: pressed }) => {
    if (pressed === 'Enter') find('enter').click();
  });
  press(find('create'), 'notice', create);
  press(find('list'), 'list-notice', () => showLinks(''));
  press(find('more'), 'list-notice', () => showLinks(find('more').dataset['cursor'] ?? ''));
  press(find('copy'), 'notice', () => navigator.clipboard.writeText(find('address').textContent ?? ''));

  /** One press at a time; an error is shown next to the button. */
  function press(button: HTMLElement, notice: string, run: () => unknown): void {
    let isBusy = false;
    button.addEventListener('click', async () => {
      if (isBusy) return;
      isBusy = true;
      button.setAttribute('aria-disabled', 'true');
      find(notice).textContent = '';
      try {
        await run();
      } catch (error) {
        find(notice).textContent = error instanceof Error ? error.message : String(error);
      }
      button.removeAttribute('aria-disabled');
      isBusy = false;
    });
  }

  async function call(method: string, path: string, body?: string): Promise<unknown> {
    const response = await fetch(callsPath + path, {
      method,
      headers: {
        Authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'Idempotency-Key': attempt.id }),
      },
      credentials: 'omit',
      ...(body === undefined ? {} : { body }),
    }).catch(() => {
      throw new Error('The server does not answer. Try again.');
    });
    const answer = (await response.json().catch(() => ({}))) as unknown;
    if (response.ok) return answer;
    throw new Error(sentenceOf(response.status, answer as Problem));
  }

  function sentenceOf(status: number, { detail, errors = [] }: Problem): string {
    if (status === 401) return 'This is not the merchant key.';
    if (status === 429) return 'Too many requests. Try again in a minute.';
    for (const { path } of errors) mark(path);
    const fields = errors.map(({ path, message }) => `${path} ${message}`).join('; ');
    return fields || detail || 'The server could not do it. Try again.';
  }

  /** Points at the field that the server refuses. */
  function mark(path: string): void {
    const field = document.getElementById(path.split('.').at(-1) ?? '');
    field?.setAttribute('aria-invalid', 'true');
    const details = field?.closest('details');
    if (details) details.open = true;
    field?.focus();
  }

  async function create(): Promise<void> {
    for (const id of FIELDS) find(id).removeAttribute('aria-invalid');
    find('result').hidden = true;
    const identity = some({
      first_name: textIn('first_name'),
      last_name: textIn('last_name'),
      email: textIn('email'),
    });
    const text = textIn('text');
    const body = JSON.stringify({
      ...some({
        customer_id: textIn('customer_id'),
        connection: textIn('connection'),
        ownership: textIn('ownership'),
      }),
      purpose: textIn('purpose'),
      expires_in_days: Number(textIn('expires_in_days')),
      ...(Object.keys(identity).length > 0 ? { identity } : {}),
      ...(text ? { authorization: { text, version: textIn('version') } } : {}),
    });
    if (attempt.body !== body) attempt = { body, id: crypto.randomUUID() };
    const { link, qr } = (await call('POST', '', body)) as { link: Row & { url: string }; qr: string };
    attempt = { body: '', id: '' };
    find('address').textContent = link.url;
    find<HTMLImageElement>('qr').src = `data:image/svg+xml,${encodeURIComponent(qr)}`;
    find('until').textContent = `Valid until ${when(link.expires_at)}`;
    find('result').hidden = false;
    await showLinks('');
  }

  async function showLinks(cursor: string): Promise<void> {
    const query = new URLSearchParams(
      some({ customer_id: textIn('filter_customer'), status: textIn('filter_status'), cursor, limit: '50' }),
    );
    const { data, next_cursor } = (await call('GET', `?${query}`)) as { data: Row[]; next_cursor: string | null };
    const rows = data.map(toRow);
    if (cursor === '') find('rows').replaceChildren(...rows);
    else find('rows').append(...rows);
    const count = find('rows').childElementCount;
    find('count').textContent = count === 0 ? 'No links.' : `${count} ${count === 1 ? 'link' : 'links'}`;
    find('more').dataset['cursor'] = next_cursor ?? '';
    find('more').hidden = next_cursor === null;
  }

  function toRow({ id, customer_id, status, expires_at }: Row): HTMLElement {
    const row = document.createElement('tr');
    for (const text of [id, customer_id, status, when(expires_at)]) {
      row.appendChild(document.createElement('td')).textContent = text;
    }
    const last = row.appendChild(document.createElement('td'));
    if (status !== 'open' && status !== 'opened') return row;
    const button = last.appendChild(document.createElement('button'));
    button.type = 'button';
    button.className = 'quiet';
    button.textContent = 'Revoke';
    button.setAttribute('aria-label', `Revoke the link of ${customer_id}`);
    press(button, 'list-notice', async () => {
      const ended = (await call('POST', `/${id}/revoke`)) as Row;
      (row.children[2] as HTMLElement).textContent = ended.status;
      button.remove();
    });
    return row;
  }

  function some(fields: Record<string, string>): Record<string, string> {
    return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
  }

  function when(time: string): string {
    return new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  }
}
