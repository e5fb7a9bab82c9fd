import hljs from 'highlight.js/lib/common';
import { escapeHtml } from './escape.ts';
import type { Heading, RenderedPage } from './markdown.ts';

/** The API reference, made from the OpenAPI document: every call with its fields, an example and its problems. */

interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  format?: string;
  description?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  additionalProperties?: boolean | Schema;
}
interface Content {
  schema?: Schema;
  example?: unknown;
}
interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security?: Record<string, unknown>[];
  parameters?: {
    $ref?: string;
    name?: string;
    in?: string;
    required?: boolean;
    description?: string;
    schema?: Schema;
  }[];
  requestBody?: { required?: boolean; content: Record<string, Content> };
  responses: Record<string, { description: string; content?: Record<string, Content> }>;
}
export interface ApiDocument {
  info: { version: string; description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  webhooks: Record<string, { post: Operation }>;
  components: {
    schemas: Record<string, Schema>;
    parameters: Record<string, { name: string; in: string; description: string; schema: Schema }>;
  };
}

const AUTHORIZATION: Record<string, string> = {
  merchant: 'the merchant key',
  page: 'the session’s client secret',
};

export function renderApiPage(document: ApiDocument): RenderedPage {
  const headings: Heading[] = [{ level: 1, id: 'api', text: 'API' }];
  const heading = (level: number, id: string, text: string, html = escapeHtml(text)) => {
    headings.push({ level, id, text });
    return `<h${level} id="${id}">${html}</h${level}>`;
  };
  const parts = [
    '<h1 id="api">API</h1>',
    prose(document.info.description),
    '<p>For generators of clients: <a href="openapi.json" download>openapi.json</a> (OpenAPI 3.1).</p>',
  ];
  for (const { name, description } of document.tags) {
    const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, { tags }]) => tags.includes(name))
        .map(([method, operation]) => ({ method, path, operation })),
    );
    if (calls.length === 0) continue;
    parts.push(heading(2, slug(name), name), prose(description));
    for (const { method, path, operation } of calls) {
      const id = slug(operation.operationId);
      parts.push(
        '<section class="call">',
        heading(3, id, operation.summary),
        `<p class="route"><b class="method ${method}">${method.toUpperCase()}</b> <code>${escapeHtml(path)}</code></p>`,
        describe(operation, document),
        '</section>',
      );
    }
  }
  parts.push(
    heading(2, 'events', 'Webhooks to you'),
    prose(Object.values(document.webhooks)[0]?.post.description ?? ''),
  );
  for (const [type, { post }] of Object.entries(document.webhooks)) {
    const content = post.requestBody?.content['application/json'];
    parts.push(
      '<section class="call">',
      heading(3, `event-${slug(type)}`, type, `<code>${escapeHtml(type)}</code>`),
      content ? `<p>Body: ${typeOf(content.schema)}</p>${example(content.example)}` : '',
      '</section>',
    );
  }
  parts.push(heading(2, 'schemas', 'Schemas'));
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    parts.push(heading(3, `schema-${name}`, name), schema.description ? prose(schema.description) : '', fields(schema));
  }
  return { title: 'API', html: parts.join('\n'), headings };
}

function describe(operation: Operation, { components }: ApiDocument): string {
  const keys = (operation.security ?? []).flatMap((entry) => Object.keys(entry));
  const names = keys.map((key) => AUTHORIZATION[key] ?? key);
  const authorization =
    names.length > 0 ? `<p>Authorization: <code>Bearer</code> with ${escapeHtml(names.join(' or '))}.</p>` : '';
  const parameters = (operation.parameters ?? []).map((parameter) => {
    const shared = parameter.$ref ? components.parameters[parameter.$ref.split('/').at(-1) ?? ''] : undefined;
    return { ...shared, ...parameter };
  });
  const rows = parameters.map(
    ({ name = '', in: place = '', required, schema, description }) =>
      `<tr><td><code>${escapeHtml(name)}</code>${required ? '' : optional}</td><td>${place}</td><td>${typeOf(schema)}</td><td>${inline(description ?? '')}</td></tr>`,
  );
  const body = Object.values(operation.requestBody?.content ?? {})[0];
  const answers = Object.entries(operation.responses).filter(([status]) => Number(status) < 400);
  const problems = Object.entries(operation.responses).filter(([status]) => Number(status) >= 400);
  return [
    operation.description ? prose(operation.description) : '',
    authorization,
    rows.length > 0 ? table(['parameter', 'in', 'type', 'meaning'], rows) : '',
    body ? `<h4>Request</h4><p>${typeOf(body.schema)}</p>${example(body.example)}` : '',
    '<h4>Response</h4>',
    ...answers.map(([status, { description, content }]) => {
      const shown = Object.values(content ?? {})[0];
      return `<p><b>${status}</b> ${shown?.schema ? typeOf(shown.schema) : ''} ${inline(description)}</p>${example(shown?.example)}`;
    }),
    problems.length > 0
      ? `<details><summary>Problems</summary>${table(['status', 'code and meaning'], problems.map(problemRow))}</details>`
      : '',
  ].join('\n');
}

const optional = ' <span class="optional">optional</span>';

function problemRow([status, { description }]: [string, { description: string }]): string {
  return `<tr><td>${status}</td><td>${description.split('\n').map(inline).join('<br>')}</td></tr>`;
}

function fields(schema: Schema): string {
  if (!schema.properties) return `<p>${typeOf(schema)}</p>`;
  const rows = Object.entries(schema.properties).map(([name, field]) => {
    const mark = schema.required?.includes(name) ? '' : optional;
    const inner = nested(field);
    const detail = [
      field.description ? inline(field.description) : '',
      inner ? `<details><summary>Fields</summary>${fields(inner)}</details>` : '',
    ];
    return `<tr><td><code>${escapeHtml(name)}</code>${mark}</td><td>${typeOf(field)}</td><td>${detail.join(' ')}</td></tr>`;
  });
  return table(['field', 'type', 'meaning'], rows);
}

/** The object whose fields are worth showing below a field: its own, or that of its items or of its one alternative. */
function nested(schema: Schema): Schema | undefined {
  if (schema.properties) return schema;
  if (schema.items) return nested(schema.items);
  return (schema.anyOf ?? schema.oneOf)?.find(({ properties }) => properties);
}

function typeOf(schema: Schema | undefined): string {
  if (!schema) return '';
  if (schema.$ref) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return `<a href="#schema-${name}">${name}</a>`;
  }
  if ('const' in schema) return code(schema.const);
  if (schema.enum) return schema.enum.map(code).join(' · ');
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return [...new Set(alternatives.map(typeOf))].join(' or ');
  if (schema.allOf) return schema.allOf.map(typeOf).join(' and ');
  if (schema.items) return `list of ${typeOf(schema.items)}`;
  if (schema.format === 'date-time') return 'time';
  return escapeHtml([schema.type ?? 'anything'].flat().join(' or '));
}

const code = (value: unknown) => `<code>${escapeHtml(JSON.stringify(value) ?? 'undefined')}</code>`;

function example(value: unknown): string {
  if (value === undefined) return '';
  const text = JSON.stringify(value, null, 2);
  return `<pre tabindex="0"><code class="language-json">${hljs.highlight(text, { language: 'json' }).value}</code></pre>`;
}

const table = (heads: string[], rows: string[]) =>
  `<div class="table" tabindex="0"><table><thead><tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;

const prose = (text: string) =>
  text
    .split('\n\n')
    .map((paragraph) => `<p>${inline(paragraph)}</p>`)
    .join('');

/** The contract's sentences use no other mark-up than code. */
const inline = (text: string) => escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');

const slug = (text: string) => text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
