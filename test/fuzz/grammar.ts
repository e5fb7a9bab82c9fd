import type { Random } from '../faults/random.ts';

/** The part of JSON Schema that the contract uses. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  propertyNames?: Schema;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  format?: string;
}

/** Values of a schema. Optional members are there half of the time. */
export interface Grammar {
  valid(schema: Schema, name?: string): unknown;
  /** A value that was valid, changed in one to three places. */
  mutated(value: unknown): unknown;
  /** Text of any kind, for ids, headers and query values. */
  oddText(): string;
}

/** Right values of members whose pattern allows more than their meaning. */
const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  language: ['en', 'es', 'pt-BR', 'zh-Hant-TW', 'x-y'],
  region: ['CA', 'NY'],
  country: ['USA', 'CAN'],
  postal_code: ['94114', '10001'],
  email: ['jane@example.com', 'o.brien+test@shop.example'],
  phone: ['+1 (415) 555-0100', '4155550100'],
  business_phone: ['+1 (408) 756-4497', '4087564497'],
  text_sha256: ['0'.repeat(64), 'a1'.repeat(32)],
  accent: ['#17483f', '#FFFFFF'],
  logo_url: ['https://shop.example/logo.png'],
  support_url: ['https://shop.example/help'],
  redirect_uri: ['https://shop.example/oauth'],
  return_url: ['https://shop.example/done', 'https://shop.example/\u00e4?x=1#y'],
  allowed_origins: ['https://one.example', 'https://two.example', 'http://localhost:5173'],
  public_token: ['made-up', 'public-nothing', 'x'],
  limit: ['1', '25', '100'],
  consent_expires_before: ['2030-01-01T00:00:00Z', '2026-12-31T23:59:59+02:00'],
  finix_identity: ['ID0123456789abcdefghij'],
};

const WORDS = ['Jane', 'O’Brien', 'Ñandú', '日本', '🏦', 'a b', 'x', 'Acme & Söhne', 'é', '0', 'null'];

/** Text that has broken a parser, a query, a log or a page somewhere. */
const ODD = [
  '',
  ' ',
  '\0',
  '\r\n',
  '\u2028',
  '\ud800',
  '\udfff\ud800',
  '\u202e',
  '\ufeff',
  '"',
  "'; drop table sessions; --",
  '%00',
  '%ff%fe',
  '%2e%2e%2f',
  '..',
  '../../etc/passwd',
  '<script>alert(1)</script>',
  '#{7*7}',
  '{{7*7}}',
  '__proto__',
  'constructor',
  'toString',
  'javascript:alert(1)',
  'https://user:pass@shop.example/',
  'http://127.0.0.1:1/',
  '-1',
  '1e309',
  'NaN',
  '9007199254740993',
  'true',
  '[]',
  'ses_',
  'con_000000000000000000000000',
];

/** Of texts that are otherwise right, so that each member meets an odd one among right others. */
const ODD_VALUE = 0.02;

/** A body of this length still fits; repeated in a few places it does not. */
const LONG = 20_000;

export function createGrammar(random: Random, components: Record<string, Schema>): Grammar {
  const chance = (share: number) => random.next() < share;

  function resolve(schema: Schema): Schema {
    const { $ref } = schema;
    return $ref ? resolve(components[$ref.split('/').at(-1) ?? ''] ?? {}) : schema;
  }

  function valid(given: Schema, name = ''): unknown {
    const schema = resolve(given);
    const options = schema.anyOf ?? schema.oneOf;
    if (options) return valid(random.pick(options), name);
    if (schema.const !== undefined) return schema.const;
    if (schema.enum) return random.pick(schema.enum);
    const type = Array.isArray(schema.type) ? random.pick(schema.type) : schema.type;
    switch (type) {
      case 'object':
        return validObject(schema);
      case 'array':
        return Array.from({ length: random.between(schema.minItems ?? 0, Math.min(schema.maxItems ?? 3, 3)) }, () =>
          valid(schema.items ?? {}, name),
        );
      case 'string':
        return validText(schema, name);
      case 'integer':
      case 'number':
        return random.between(Math.max(schema.minimum ?? 1, 1), Math.min(schema.maximum ?? 100_000, 100_000));
      case 'boolean':
        return chance(0.5);
      case 'null':
        return null;
      default:
        return random.pick([null, 1, 'x', true, [], {}]);
    }
  }

  function validObject({ properties = {}, required = [], additionalProperties, propertyNames }: Schema): object {
    const members = Object.entries(properties).filter(([key]) => required.includes(key) || chance(0.5));
    const own = Object.fromEntries(members.map(([key, schema]) => [key, valid(schema, key)]));
    if (typeof additionalProperties !== 'object') return own;
    const free = Array.from({ length: random.between(0, 3) }, () => [
      validText(propertyNames ?? {}, ''),
      valid(additionalProperties),
    ]);
    return { ...own, ...Object.fromEntries(free) };
  }

  function validText({ minLength = 1, maxLength = 40 }: Schema, name: string): string {
    if (chance(ODD_VALUE)) return oddText();
    const samples = SAMPLES[name];
    if (samples) return random.pick(samples);
    let text = random.pick(WORDS);
    const wanted = chance(0.05) ? maxLength : Math.min(random.between(minLength, 12), maxLength);
    while (text.length < wanted) text += random.pick(WORDS);
    return text.slice(0, maxLength).toWellFormed();
  }

  function odd(): unknown {
    return random.pick<() => unknown>([
      () => oddText(),
      () => random.pick([0, -1, 0.5, 1e21, -0, Number.MAX_SAFE_INTEGER + 2, 1e308]),
      () => random.pick([null, true, false, [], {}, [[]], [null]]),
      () => nested(random.between(1, 3) * 200),
      () => Array.from({ length: random.between(1, 300) }, () => random.pick(ODD)),
      () => Object.fromEntries(Array.from({ length: random.between(1, 300) }, (_, i) => [`k${i}`, i])),
      () => JSON.parse('{"__proto__": {"isAdmin": true}, "constructor": {"prototype": {}}}'),
    ])();
  }

  function oddText(): string {
    if (chance(0.1)) return random.pick(ODD).repeat(random.between(1, 50));
    if (chance(0.05)) return random.pick(['a', 'é', '🏦', '%']).repeat(random.between(1, LONG));
    return random.pick(ODD);
  }

  function mutated(value: unknown): unknown {
    let changed = structuredClone(value);
    for (let i = random.between(1, 3); i > 0; i--) changed = mutate(changed);
    return changed;
  }

  function mutate(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return odd();
    if (chance(0.1)) return odd();
    const keys = Object.keys(value);
    const key = keys.length > 0 && !chance(0.2) ? random.pick(keys) : oddText();
    const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    if (chance(0.2)) delete copy[key];
    // Defined, not assigned: `__proto__` is to be a member of its own, as JSON.parse makes it.
    else
      Object.defineProperty(copy, key, {
        value: mutate(copy[key]),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    return copy;
  }

  return { valid, mutated, oddText };
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { a: value };
  return value;
}
