import type { Hono } from 'hono';
import { html, raw } from 'hono/html';
import type { AppDeps, AppEnv } from '../context.ts';

const STYLE = `
:root { color-scheme: light dark; font: 1.0625rem/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
body { display: grid; place-items: center; min-height: 100vh; margin: 0; background: #f3f4f6; color: #12151b; }
main { box-sizing: border-box; width: min(42rem, 100%); padding: 2.5rem clamp(1.25rem, 6vw, 3rem); }
.mark { color: #0b6e5b; }
h1 { margin: 1rem 0 .25rem; font-size: 1.75rem; line-height: 1.2; letter-spacing: -.025em; text-wrap: balance; }
p { margin: 0 0 1.25rem; color: #565f6e; }
pre { margin: 0 0 1.5rem; padding: 1rem 1.25rem; white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #e1e4ea; border-radius: .75rem; background: #fff; font: .9375rem/1.6 ui-monospace, Menlo, Consolas, monospace; }
ul { display: grid; gap: .5rem; margin: 0; padding: 0; list-style: none; }
a { color: #0b6e5b; font-weight: 600; text-underline-offset: 3px; }
a:focus-visible { outline: 2px solid currentColor; outline-offset: 3px; }
@media (prefers-color-scheme: dark) {
  body { background: #0b0d11; color: #eef0f4; } p { color: #9fa9b9; } a, .mark { color: #62d6b5; }
  pre { border-color: #272d38; background: #13161c; }
}`;

/** What a person sees who opens the server's address: where they are, and where to go. Programs have no use for it. */
export function firstPageRoutes(app: Hono<AppEnv>, { config, version }: AppDeps): void {
  const address = config.publicUrl.replace(/\/$/, '');
  // Below a path, which is opened with and without a slash at its end, only the whole address leads there from both.
  const base = new URL(address).pathname === '/' ? '' : `${address}/`;
  const page = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<link rel="icon" href="data:,"><title>finix-bank-connect</title><style>${raw(STYLE)}</style></head>
<body><main>
<svg class="mark" viewBox="0 0 28 28" width="44" height="44" aria-hidden="true"><rect width="28" height="28" rx="8" fill="currentColor"/><path d="M9.5 14h9M12 9.5H9.5a4.5 4.5 0 0 0 0 9H12m4-9h2.5a4.5 4.5 0 0 1 0 9H16" fill="none" stroke="Canvas" stroke-width="2" stroke-linecap="round"/></svg>
<h1>The bank connect server is running</h1>
<p>It turns a customer’s bank account into a payment method at Finix. Customers never come here: they are on a merchant’s page, which needs two lines.</p>
<pre>${`<script type="module" src="${address}/finix-bank-connect.js"></script>\n<finix-bank-connect></finix-bank-connect>`}</pre>
<ul>
<li><a href="${base}docs">Documentation</a>, from the first session to going live</li>
<li><a href="${base}openapi.json">OpenAPI document</a>, for programs</li>
<li><a href="${base}readyz">Readiness</a> of this instance, version ${version}</li>
</ul>
</main></body></html>`;
  app.get('/', (c) => {
    c.header(
      'Content-Security-Policy',
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
    );
    return c.html(page);
  });
}
