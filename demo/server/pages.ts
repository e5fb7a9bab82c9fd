/**
 * The pages say where the connect server is as a merchant's page does; this name is exchanged for the demo's own
 * address.
 */
const CONNECT_PLACEHOLDER = 'https://connect.example';

export interface PageFacts {
  connectUrl: string;
  /** The simulator's Link, to be loaded before the element; undefined: the element loads Plaid's own. */
  linkScriptUrl: string | undefined;
}

export interface ShopPages {
  /** Everything that is the same for every visitor, by its path. */
  asset(path: string): { type: string; content: Uint8Array<ArrayBuffer> } | undefined;
  page(path: string): string | undefined;
}

/**
 * Puts in what only the running demo knows. `values` replace `{{name}}`; they are HTML already.
 * @returns the page, and the policy to send with it where the page asks for a strict one by using `{{nonce}}`
 */
export function fillPage(
  page: string,
  { connectUrl, linkScriptUrl }: PageFacts,
  values: Record<string, string>,
): { html: string; policy: string | undefined } {
  const nonce = page.includes('{{nonce}}') ? newNonce() : undefined;
  const linkScript = linkScriptUrl ? `<script${nonce ? ` nonce="${nonce}"` : ''} src="${linkScriptUrl}"></script>` : '';
  let html = page.replaceAll(CONNECT_PLACEHOLDER, connectUrl).replace('<!-- link script -->', linkScript);
  for (const [name, value] of Object.entries({ ...values, nonce: nonce ?? '' })) {
    html = html.replaceAll(`{{${name}}}`, () => value);
  }
  // The build writes script tags of its own.
  if (nonce)
    html = html.replaceAll('<script type="module" crossorigin', `<script type="module" nonce="${nonce}" crossorigin`);
  return { html, policy: nonce && strictPolicy(nonce, connectUrl, linkScriptUrl) };
}

/** What a merchant with a strict policy sends: the three hosts in it are the connect server and Plaid's. */
function strictPolicy(nonce: string, connectUrl: string, linkScriptUrl: string | undefined): string {
  const link = linkScriptUrl ? new URL(linkScriptUrl).origin : 'https://cdn.plaid.com';
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'`,
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src ${new URL(connectUrl).origin}${linkScriptUrl ? '' : ' https://sandbox.plaid.com https://production.plaid.com'}`,
    `frame-src ${link}`,
    "form-action 'self'",
    "base-uri 'none'",
    // The static demo shows its pages in a frame of its own.
    "frame-ancestors 'self'",
    "require-trusted-types-for 'script'",
    'trusted-types finix-bank-connect lit-html',
  ].join('; ');
}

/** 128 bits, in base64 as policies want it. */
function newNonce(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
}
