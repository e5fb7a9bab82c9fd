import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Hono } from 'hono';
import { beforeAll, describe, expect, it } from 'vitest';
import { renderMarkdown } from '../../build/docs/markdown.ts';
import { OUTLINE } from '../../build/docs/outline.ts';
import { buildSite, ROOT_PAGE } from '../../build/docs/site.ts';
import type { AppEnv } from '../../server/http/context.ts';
import { contractRoutes } from '../../server/http/routes/docs.ts';
import { project } from './imports.ts';

let site: Map<string, string | Uint8Array>;
const page = (file: string) => String(site.get(file));
const pages = () => [...site.keys()].filter((file) => file.endsWith('.html'));

beforeAll(() => {
  site = buildSite('https://connect.example');
});

describe('the documentation site', () => {
  it('the documentation site has a place in the navigation for every document', () => {
    const documents = readdirSync(join(project, 'docs')).filter((file) => file.endsWith('.md'));
    const listed = OUTLINE.flatMap((section) => section.pages.map(({ source }) => source));
    expect(documents.filter((file) => !listed.includes(`docs/${file}`))).toEqual([]);
    expect(new Set(listed).size).toBe(listed.length);
  });

  it('the documentation site lists every document for language models, and none that is not there', () => {
    const listed = [...readFileSync(join(project, 'llms.txt'), 'utf8').matchAll(/\]\((docs\/[\w-]+\.md)\)/g)];
    const documents = readdirSync(join(project, 'docs')).filter((file) => file.endsWith('.md'));
    expect(listed.map(([, file]) => file).sort()).toEqual(documents.map((file) => `docs/${file}`).sort());
  });

  it('the documentation site refers only to files of its own', () => {
    const own = new Set([...site.keys(), 'docs.css', 'text.css', 'docs.js', 'icon.svg']);
    for (const file of pages()) {
      const addresses = [...page(file).matchAll(/<(?:a|link|script|img)\b[^>]* (?:href|src)="([^"#]+)/g)].map(
        ([, address]) => address ?? '',
      );
      const inside = addresses.filter((address) => !/^(https?|mailto):/.test(address));
      const missing = inside.filter(
        (address) => !own.has(file === ROOT_PAGE ? address.replace(/^docs\//, '') : address),
      );
      expect([file, missing]).toEqual([file, []]);
      expect(page(file)).not.toMatch(/<(link|script|img)\b[^>]* (href|src)="https?:/);
    }
  });

  it('the documentation site marks the page that is open in the navigation, on every page', () => {
    for (const file of pages()) {
      expect([file, page(file).match(/ aria-current="page"/g)?.length]).toEqual([file, 1]);
      expect([file, page(file).match(/<h1[ >]/g)?.length]).toEqual([file, 1]);
    }
  });

  it('the documentation site shows every call of the contract and every event in the API reference', () => {
    const { paths, webhooks } = JSON.parse(page('openapi.json')) as { paths: object; webhooks: object };
    for (const path of Object.keys(paths)) expect(page('api.html')).toContain(`<code>${path}</code>`);
    for (const type of Object.keys(webhooks)) expect(page('api.html')).toContain(`<code>${type}</code>`);
  });

  it('the documentation site is not made with a link that leads nowhere', () => {
    const render = (text: string) =>
      renderMarkdown('docs/a.md', text, (file) => (file === 'docs/b.md' ? 'b.html' : undefined));
    expect(render('[b](b.md#c)').html).toContain('href="b.html#c"');
    expect(() => render('[c](c.md)')).toThrow('docs/a.md links to c.md');
    expect(() => render('![c](c.png)')).toThrow('docs/a.md links to c.png');
  });

  it('the documentation site gives headings the ids that GitHub gives them', () => {
    const { headings } = renderMarkdown('docs/a.md', '# Set `A_B`, then “C”\n\n## Twice\n\n## Twice', () => undefined);
    expect(headings.map(({ id }) => id)).toEqual(['set-a_b-then-c', 'twice', 'twice-1']);
  });
});

describe('a server with the site', () => {
  const app = new Hono<AppEnv>();
  beforeAll(() => {
    const files = new Map([...site].map(([file, content]) => [file, Buffer.from(content)] as const));
    contractRoutes(app, { config: { publicUrl: 'https://connect.example' }, version: '1.2.3', docs: { files } });
    app.onError((_error, c) => c.text('problem', 404));
  });

  it('a server with the site serves it under /docs, where nothing can be loaded from elsewhere', async () => {
    for (const path of ['/docs', '/docs/', '/docs/element.html']) {
      const response = await app.request(path);
      expect([path, response.status, response.headers.get('Content-Type')]).toEqual([
        path,
        200,
        'text/html; charset=utf-8',
      ]);
      const policy = response.headers.get('Content-Security-Policy');
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain('unsafe');
    }
    expect(await (await app.request('/docs')).text()).toContain('href="docs/quickstart.html"');
    expect(await (await app.request('/docs/')).text()).toContain('href="quickstart.html"');
  });

  it.each(['/docs/none.html', '/docs/../package.json', '/docs/%2e%2e/package.json', '/docs/deploy/../../x'])(
    'answers 404 to %s',
    async (path) => {
      expect((await app.request(path)).status).toBe(404);
    },
  );
});
