import { expect } from '@open-wc/testing';
import { waitUntil } from '../helpers/wait-until.ts';

// What a careful merchant sends. `'self'` is where this test's modules come from; a page in production names the server
// there.
const policy = [
  "default-src 'none'",
  "script-src 'self' 'nonce-abc' https://cdn.plaid.com/link/v2/stable/link-initialize.js",
  "style-src 'nonce-abc'",
  "connect-src 'self'",
  "require-trusted-types-for 'script'",
  'trusted-types finix-bank-connect lit-html',
].join('; ');

const page = `<!doctype html><html lang="en"><head><meta http-equiv="Content-Security-Policy" content="${policy}">
<script nonce="abc">
  violations = [];
  document.addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective + ' ' + event.blockedURI));
</script>
<script type="module" nonce="abc" src="/widget/index.ts"></script></head>
<body><finix-bank-connect nonce="abc"></finix-bank-connect></body></html>`;

interface StrictWindow extends Window {
  violations: string[];
}

describe('under a strict content security policy', () => {
  it('works without a violation, and gives its nonce to the script of Link', async () => {
    const frame = document.createElement('iframe');
    frame.style.inlineSize = '400px';
    frame.srcdoc = page;
    document.body.append(frame);
    try {
      const inside = () => frame.contentDocument as Document;
      const element = () => inside().querySelector('finix-bank-connect');
      await waitUntil(() => element()?.status !== undefined, 'the element to be defined');
      const seen: string[] = [];
      new MutationObserver((records) => {
        for (const node of records.flatMap(({ addedNodes }) => [...addedNodes])) {
          if ((node as Element).tagName === 'SCRIPT')
            seen.push(`${(node as HTMLScriptElement).src} ${(node as HTMLElement).nonce}`);
        }
      }).observe(inside().head, { childList: true });
      const target = element();
      if (!target) throw new Error('No element');
      target.backend = {
        createPublicSession: async () => ({ clientSecret: 'ses_1_secret_x', session: {} as never }),
        createLinkToken: async () => ({
          link_token: 'link-1',
          expires_at: new Date(Date.now() + 3_600_000).toISOString(),
        }),
        complete: () => new Promise(() => {}),
        getSession: () => new Promise(() => {}),
      };
      target.open();
      await waitUntil(() => seen.length > 0, 'the script tag');
      expect(seen[0]).to.equal('https://cdn.plaid.com/link/v2/stable/link-initialize.js abc');
      expect((frame.contentWindow as unknown as StrictWindow).violations).to.deep.equal([]);
      const button = target.shadowRoot?.querySelector('[part~=button]') as HTMLElement;
      expect(getComputedStyle(button).borderRadius).to.equal('12px');
    } finally {
      frame.remove();
    }
  });
});
