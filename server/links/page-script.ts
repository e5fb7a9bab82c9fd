/**
 * What the page behind a link does, in the browser. Written as a function so that it is checked like everything else,
 * and sent as its source: it may use nothing from outside of itself. A press makes the session; nothing happens before.
 */
export function linkPage(): void {
  interface Facts {
    sessionPath: string;
    endpoint: string;
    lang: string;
    nonce: string;
    returnUrl: string | null;
    texts: { starting: string; start: string; failed: string; done: string; pending: string };
  }
  interface Account {
    institution: { name: string | null };
    account: { mask: string | null };
    status: string;
  }
  const find = (id: string) => document.getElementById(id) as HTMLElement;
  const facts = JSON.parse(find('facts').textContent ?? '') as Facts;
  const start = find('start');
  const notice = find('notice');
  const place = find('place');
  let authorization: { text: string } | null = null;
  let isBusy = false;

  start.hidden = false;
  // With scripts a choice is enough; the button next to it is for pages without.
  find('switch').hidden = true;
  find('lang').addEventListener('change', (event) => (event.target as HTMLSelectElement).form?.requestSubmit());
  start.addEventListener('click', () => {
    if (isBusy) return;
    isBusy = true;
    start.setAttribute('aria-disabled', 'true');
    start.textContent = facts.texts.starting;
    notice.textContent = '';
    begin().catch((error: unknown) => {
      console.error('The link could not be opened.', error);
      notice.textContent = facts.texts.failed;
      start.textContent = facts.texts.start;
      start.removeAttribute('aria-disabled');
      isBusy = false;
    });
  });

  /** @returns the client secret of a session; null where the link has ended since this page was loaded */
  async function open(): Promise<string | null> {
    const response = await fetch(facts.sessionPath, { method: 'POST' });
    if (response.status === 404) {
      // The page then shows it.
      location.reload();
      return null;
    }
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const opened = (await response.json()) as { client_secret: string; authorization: { text: string } | null };
    authorization = opened.authorization;
    return opened.client_secret;
  }

  async function begin(): Promise<void> {
    const secret = await open();
    if (secret === null) return;
    const element = document.createElement('finix-bank-connect') as HTMLElement & {
      nonce: string;
      fetchClientSecret: () => Promise<string>;
    };
    element.setAttribute('endpoint', facts.endpoint);
    element.setAttribute('client-secret', secret);
    element.setAttribute('lang', facts.lang);
    element.nonce = facts.nonce;
    // After an account that was declined, or a long pause, the customer goes on in another session.
    // Where the link has ended in the meantime, this page is about to be another one.
    element.fetchClientSecret = async () => (await open()) ?? new Promise<never>(() => {});
    for (const type of ['fbc-connected', 'fbc-pending']) {
      element.addEventListener(type, (event) => {
        const { connections } = (event as CustomEvent<{ connections: Account[] }>).detail;
        end(connections, type === 'fbc-pending' ? facts.texts.pending : facts.texts.done);
      });
    }
    place.append(element);
    find('safe').hidden = true;
    start.hidden = true;
    // The element's own button is where the customer goes on.
    await customElements.whenDefined('finix-bank-connect');
    element.focus();
  }

  function end(connections: Account[], text: string): void {
    find('begin').hidden = true;
    find('ended').hidden = false;
    find('accounts').replaceChildren(
      ...connections.map(({ institution, account }) => {
        const card = (find('account') as HTMLTemplateElement).content.cloneNode(true) as DocumentFragment;
        const name = card.querySelector('bdi');
        if (name) name.textContent = [institution.name, account.mask && `••${account.mask}`].filter(Boolean).join(' ');
        return card;
      }),
    );
    const title = find('ended-title');
    title.textContent = text;
    title.focus();
    const copy = find('copy') as HTMLAnchorElement;
    if (authorization) {
      copy.href = URL.createObjectURL(new Blob([authorization.text], { type: 'text/plain;charset=utf-8' }));
      copy.hidden = false;
    }
  }
}
