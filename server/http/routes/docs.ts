import { extname } from 'node:path';
import type { Hono } from 'hono';
import { html, raw } from 'hono/html';
import { listProblems, ProblemError } from '../../errors.ts';
import type { AppContext, AppDeps, AppEnv, DocsBundle } from '../context.ts';
import { openApiDocument, operations } from '../openapi.ts';

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; font-size: 1.2rem; } h3 { margin: 2rem 0 .25rem; font-size: 1rem; }
code, pre { font: .875rem/1.45 ui-monospace, monospace; }
pre { padding: .75rem 1rem; overflow: auto; border-radius: .5rem; background: color-mix(in srgb, currentColor 7%, transparent); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; } th, td { padding: .4rem .75rem .4rem 0; text-align: start; vertical-align: top; border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.who { font-weight: 400; opacity: .7; }
`;

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
};

/** Only what comes with the site: it loads nothing from elsewhere. */
const SITE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** A newer server's documents are seen within this time. Seconds. */
const DOCS_SECONDS = 300;

/**
 * The contract for programs (`/openapi.json`), and the documentation for people (`/docs`). Needs nothing from
 * elsewhere.
 */
export function contractRoutes(
  app: Hono<AppEnv>,
  { config, version, docs }: Pick<AppDeps, 'version' | 'docs'> & { config: Pick<AppDeps['config'], 'publicUrl'> },
): void {
  // Made when it is first asked for: it takes longer than the rest of a server's start.
  let made: Record<string, unknown> | undefined;
  const document = () => {
    made ??= openApiDocument(config.publicUrl, version);
    return made;
  };
  app.get('/openapi.json', (c) => c.json(document()));
  if (docs) siteRoutes(app, docs);
  else {
    app.get('/docs', (c) => {
      const { schemas } = document()['components'] as { schemas: Record<string, unknown> };
      c.header(
        'Content-Security-Policy',
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
      );
      return c.html(renderPage(schemas, version));
    });
  }
}

function siteRoutes(app: Hono<AppEnv>, { files }: DocsBundle): void {
  const send = (c: AppContext, name: string) => {
    const content = files.get(name);
    if (!content) throw new ProblemError('not_found');
    return c.body(content as Uint8Array<ArrayBuffer>, 200, {
      'Content-Type': TYPES[extname(name)] ?? 'text/plain; charset=utf-8',
      'Cache-Control': `public, max-age=${DOCS_SECONDS}`,
      'Content-Security-Policy': SITE_POLICY,
    });
  };
  // Not redirected to the slash, which a proxy may have taken off: this page's addresses are one level up.
  app.get('/docs', (c) => send(c, 'root.html'));
  app.get('/docs/:path{.*}', (c) => send(c, c.req.param('path') || 'index.html'));
}

function renderPage(schemas: Record<string, unknown>, version: string) {
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><title>finix-bank-connect ${version}</title><style>${raw(STYLE)}</style></head>
<body><main>
<h1>finix-bank-connect ${version}</h1>
<p>The wire contract. For programs: <a href="openapi.json">openapi.json</a>. Errors are <code>application/problem+json</code>.</p>
<h2>Calls</h2>
${operations.map(
  (
    operation,
  ) => html`<h3><code>${operation.method.toUpperCase()} ${operation.path}</code> <span class="who">${operation.who}</span></h3>
<p>${operation.summary}. ${operation.description ?? ''}</p>
<p>${operation.requests ? html`Body: ${operation.requests.map((name) => html`${schemaLink(name, schemas)} `)}` : ''}Answers: ${Object.entries(
    operation.answers,
  ).map(([status, name]) => html`${status} ${schemaLink(name, schemas)} `)}</p>`,
)}
<h2>Problems</h2>
<table><thead><tr><th>code</th><th>status</th><th>action</th><th>meaning</th></tr></thead><tbody>
${listProblems().map(
  ({ code, status, action, title }) =>
    html`<tr><td><code>${code}</code></td><td>${status}</td><td><code>${action}</code></td><td>${title}</td></tr>`,
)}
</tbody></table>
<h2>Schemas</h2>
${Object.entries(schemas).map(
  ([name, schema]) => html`<h3 id="${name}">${name}</h3><pre tabindex="0">${JSON.stringify(schema, null, 2)}</pre>`,
)}
</main></body></html>`;
}

function schemaLink(name: string, schemas: Record<string, unknown>) {
  return name in schemas ? html`<a href="#${name}">${name}</a>` : name;
}
