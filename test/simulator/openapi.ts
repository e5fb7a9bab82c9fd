import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormatsModule from 'ajv-formats';
import { parse } from 'yaml';

/**
 * The providers' published OpenAPI documents, as far as a test needs them. Lists of violations are empty when all is
 * well.
 */
export interface Contracts {
  /** Fields and query parameters that the document does not know are violations too. */
  checkRequest(
    service: 'plaid' | 'finix',
    method: string,
    path: string,
    body: unknown,
    query?: Record<string, string>,
  ): string[];
  checkResponse(service: 'plaid' | 'finix', method: string, path: string, status: number, body: unknown): string[];
}

type Json = Record<string, unknown>;
interface Operation {
  requestBody?: Json;
  responses: Record<string, Json>;
  parameters?: Json[];
}

/** Reads `plaid.yml` and `finix.yml` from a folder. */
export async function loadContracts(dir: string): Promise<Contracts> {
  const [plaid, finix] = await Promise.all(['plaid', 'finix'].map((name) => loadDocument(join(dir, `${name}.yml`))));
  correctFinixErrors(finix as Json);
  const documents = { plaid: new Contract(plaid as Json), finix: new Contract(finix as Json) };
  return {
    checkRequest: (service, method, path, body, query = {}) =>
      documents[service].checkRequest(method, path, body, query),
    checkResponse: (service, method, path, status, body) =>
      documents[service].checkResponse(method, path, status, body),
  };
}

async function loadDocument(file: string): Promise<Json> {
  return parse(await readFile(file, 'utf8'), { maxAliasCount: -1 }) as Json;
}

/**
 * Finix's published document is at odds with its own examples in the shape of errors: `logref` is a string there, and
 * the schemas for a general refusal and for 406 are copies of those for 403 and 404, with their codes.
 */
function correctFinixErrors(document: Json): void {
  const schemas = (document['components'] as Json)['schemas'] as Record<string, Json>;
  schemas['LogRef'] = { type: 'string' };
  const anyCode: Json = {
    type: 'object',
    required: ['code', 'message'],
    properties: { code: { type: 'string' }, message: { type: 'string' }, logref: { type: 'string' } },
  };
  const list: Json = {
    type: 'object',
    required: ['_embedded'],
    properties: {
      total: { type: 'integer' },
      _embedded: { type: 'object', required: ['errors'], properties: { errors: { type: 'array', items: anyCode } } },
    },
  };
  schemas['ErrorGeneric'] = list;
  schemas['Error406NotAcceptable'] = list;
}

class Contract {
  readonly #document: Json;
  readonly #ajv: Ajv;
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(document: Json) {
    this.#document = document;
    // Not strict: OpenAPI 3.0 has keywords of its own, such as `example` and `discriminator`.
    this.#ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true });
    // The package is CommonJS: its function is the default of its default for some loaders.
    const addFormats = ('default' in addFormatsModule ? addFormatsModule.default : addFormatsModule) as unknown as (
      ajv: Ajv,
    ) => unknown;
    addFormats(this.#ajv);
    this.#ajv.addFormat('url', (text: string) => URL.canParse(text));
    const schemas = (document['components'] as Json)['schemas'] as Record<string, Json>;
    const translated = (isClosed: boolean): Json =>
      Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, translate(schema, isClosed)]));
    this.#ajv.addSchema({ $id: 'open', schemas: translated(false) });
    this.#ajv.addSchema({ $id: 'closed', schemas: translated(true) });
  }

  checkRequest(method: string, path: string, body: unknown, query: Record<string, string>): string[] {
    const found = this.#operation(method, path);
    if (!found) return [`${method} ${path} is not in the document`];
    const schema = this.#schemaOf(found.operation.requestBody);
    const inBody =
      schema && body !== undefined ? this.#validate(`${method} ${found.template}`, schema, true, body) : [];
    return [...inBody, ...this.#checkQuery(found.operation, query)];
  }

  checkResponse(method: string, path: string, status: number, body: unknown): string[] {
    const found = this.#operation(method, path);
    if (!found) return [`${method} ${path} is not in the document`];
    const { responses } = found.operation;
    // Finix documents its refusals on some operations only; their shape is the same on all.
    const shared = {
      $ref: `#/components/responses/${status === 422 ? 'Error422InvalidField' : 'ErrorUnprocessableEntity'}`,
    };
    const response = responses[String(status)] ?? responses['default'] ?? (status >= 400 ? shared : undefined);
    if (!response) return [`${method} ${path} does not document status ${status}`];
    const schema = this.#schemaOf(response);
    return schema ? this.#validate(`${method} ${found.template} ${status}`, schema, false, body) : [];
  }

  #operation(method: string, path: string): { template: string; operation: Operation } | undefined {
    for (const [template, item] of Object.entries(this.#document['paths'] as Record<string, Json>)) {
      const pattern = new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`);
      const operation = item[method.toLowerCase()];
      if (operation && pattern.test(path)) return { template, operation: operation as Operation };
    }
    return undefined;
  }

  #resolve(node: Json | undefined): Json | undefined {
    const ref = node?.['$ref'];
    if (typeof ref !== 'string') return node;
    const target = ref
      .slice('#/'.length)
      .split('/')
      .reduce<unknown>((value, key) => (value as Json | undefined)?.[key], this.#document);
    return this.#resolve(target as Json | undefined);
  }

  #schemaOf(node: Json | undefined): Json | undefined {
    const content = this.#resolve(node)?.['content'] as Record<string, { schema: Json }> | undefined;
    return content?.['application/json']?.schema;
  }

  #validate(key: string, schema: Json, isClosed: boolean, value: unknown): string[] {
    const validate = this.#validators.get(key) ?? this.#ajv.compile(translate(schema, isClosed));
    this.#validators.set(key, validate);
    return validate(value) ? [] : (validate.errors ?? []).map((error) => `${key}: ${describeError(error)}`);
  }

  #checkQuery({ parameters }: Operation, query: Record<string, string>): string[] {
    const known = new Map(
      (parameters ?? []).map((parameter): [string, Json] => {
        const resolved = this.#resolve(parameter) ?? {};
        return [`${resolved['in']} ${resolved['name']}`, (resolved['schema'] ?? {}) as Json];
      }),
    );
    return Object.entries(query).flatMap(([name, text]) => {
      const schema = known.get(`query ${name}`);
      if (!schema) return [`query parameter ${name} is not in the document`];
      const value = schema['type'] === 'integer' ? Number(text) : text;
      return this.#validate(`query ${name}`, schema, false, value);
    });
  }
}

function describeError({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath || '/'} ${message} ${JSON.stringify(params)}`;
}

/** From OpenAPI 3.0 to JSON Schema: `nullable`, references, and for requests no undocumented fields. */
function translate(node: unknown, isClosed: boolean): Json {
  if (node === null || typeof node !== 'object') return {};
  const { $ref, nullable, properties, items, allOf, oneOf, anyOf, additionalProperties, ...rest } = node as Json;
  if (typeof $ref === 'string') {
    return { $ref: `${isClosed ? 'closed' : 'open'}#/schemas/${$ref.split('/').at(-1)}` };
  }
  const schema: Json = { ...rest };
  if (properties) {
    schema['properties'] = Object.fromEntries(
      Object.entries(properties as Json).map(([name, value]) => [name, translate(value, isClosed)]),
    );
  }
  if (items) schema['items'] = translate(items, isClosed);
  if (typeof additionalProperties === 'object') {
    schema['additionalProperties'] = translate(additionalProperties, isClosed);
  } else if (additionalProperties === false || (isClosed && properties)) {
    schema['additionalProperties'] = false;
  }
  // What is put together of several parts can't be closed part by part.
  for (const [key, parts] of Object.entries({ allOf, oneOf, anyOf })) {
    if (Array.isArray(parts)) schema[key] = parts.map((part) => translate(part, false));
  }
  return nullable === true ? { anyOf: [schema, { type: 'null' }] } : schema;
}
