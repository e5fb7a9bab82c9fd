import type { SnippetKind } from './write-snippet.ts';

/** Where the running demo is, for who wants to try a snippet against it. */
export interface DemoServer {
  connectUrl: string;
  linkScriptUrl: string;
  /** Of the merchant whom the simulator invents: worth nothing elsewhere. */
  merchantKey: string;
}

const CONNECT = 'https://connect.example';
const LINK = 'https://cdn.plaid.com/link/v2/stable/link-initialize.js';

/** The running demo's own, as its page carries it; undefined where there is none that a copied snippet could reach. */
export function readDemoServer({ connect, linkScript, merchantKey }: DOMStringMap): DemoServer | undefined {
  return connect && linkScript && merchantKey
    ? { connectUrl: connect, linkScriptUrl: linkScript, merchantKey }
    : undefined;
}

/** A snippet that runs as it is against the demo on this machine: its addresses, the simulator's Link, and the key. */
export function forDemo(
  text: string,
  kind: SnippetKind,
  { connectUrl, linkScriptUrl, merchantKey }: DemoServer,
): string {
  const script = `<script src="${linkScriptUrl}"></script>`;
  const placed = text.replaceAll(CONNECT, connectUrl);
  switch (kind) {
    case 'markup':
      if (!placed.includes('finix-bank-connect.js'))
        return `<!-- In index.html, for the simulator only: ${script} -->\n${placed}`;
      return placed
        .replace('<script type="module"', `<!-- For the simulator only. -->\n${script}\n<script type="module"`)
        .replace(
          / {2}<!-- client-secret: .*-->\n/,
          '  <!-- No client-secret: this server takes sessions of pages. Yours makes them with its key, as in the tabs for curl, Node, Python and PHP. -->\n',
        )
        .replace(' client-secret="{{client-secret}}"', '');
    case 'jsx':
      return `// In index.html, for the simulator only: ${script}\n${placed}`;
    case 'policy': {
      const { origin } = new URL(linkScriptUrl);
      return placed
        .replace(LINK, linkScriptUrl)
        .replaceAll('https://cdn.plaid.com/', `${origin}/`)
        .replace('https://production.plaid.com/', origin);
    }
    default:
      return withEnvironment(placed, `CONNECT_URL=${connectUrl} MERCHANT_API_KEY=${merchantKey}`);
  }
}

/** How to run it, in the first line. */
function withEnvironment(text: string, environment: string): string {
  if (text.startsWith('curl')) return `export ${environment}\n${text}`;
  if (text.startsWith('<?php')) return text.replace('<?php\n', `<?php // ${environment} php session.php\n`);
  return text.startsWith('import')
    ? `# ${environment} python3 session.py\n${text}`
    : `// ${environment} node session.mjs\n${text}`;
}
