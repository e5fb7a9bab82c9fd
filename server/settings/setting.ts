import type { z } from 'zod';

/** Headings of `.env.example` and `--help`, in this order. */
export type SettingGroup = 'Plaid' | 'Finix' | 'Merchant' | 'Pages' | 'Accounts' | 'Server' | 'Storage';

export interface SettingFacts {
  group: SettingGroup;
  /**
   * One line for the table in docs/settings.md and `--help`: what it is for, and what goes wrong with a wrong value.
   */
  description: string;
  /** Where to find the value. */
  source?: string;
  /** Makes a value. */
  command?: string;
  /** Written into `.env.example` in place of an empty value. */
  example?: string;
  /** Never logged: the log replaces the value, and each entry of a list, wherever it appears. */
  isSecret?: boolean;
  /** The setting that makes this one necessary. */
  requiredWith?: string;
}

export type Reading<T> = { value: T } | { problems: string[] };

export interface Setting<T = unknown> extends SettingFacts {
  isRequired: boolean;
  /** As it would be written in the environment. */
  defaultText: string | undefined;
  /**
   * Reads the trimmed text of the environment; undefined when it is empty or not set. Problems never contain a secret.
   */
  read(text: string | undefined): Reading<T>;
}

type Schema = z.ZodType<unknown, string>;

export function required<S extends Schema>(schema: S, facts: SettingFacts): Setting<z.output<S>> {
  return {
    ...facts,
    isRequired: true,
    defaultText: undefined,
    read: (text) => (text === undefined ? { problems: [`is missing: ${hintOf(facts)}`] } : parse(schema, text)),
  };
}

export function optional<S extends Schema>(schema: S, facts: SettingFacts): Setting<z.output<S> | undefined> {
  return {
    ...facts,
    isRequired: false,
    defaultText: undefined,
    read: (text) => (text === undefined ? { value: undefined } : parse(schema, text)),
  };
}

export function withDefault<S extends Schema>(
  schema: S,
  defaultText: string,
  facts: SettingFacts,
): Setting<z.output<S>> {
  return { ...facts, isRequired: false, defaultText, read: (text) => parse(schema, text ?? defaultText) };
}

export type SettingTable = Record<string, Setting>;
export type SettingValues<T extends SettingTable> = {
  [Name in keyof T]: T[Name] extends Setting<infer V> ? V : never;
};

/** Every value that can be read, and every problem: one start is enough to learn all of them. */
export function readSettings<T extends SettingTable>(
  table: T,
  env: Record<string, string | undefined>,
): { values: Partial<SettingValues<T>>; problems: string[] } {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, setting] of Object.entries(table)) {
    const text = textOf(env, name);
    const reading = setting.read(text);
    if ('value' in reading) values[name] = reading.value;
    else problems.push(...reading.problems.map((problem) => `${name} ${problem}`));
    const { requiredWith } = setting;
    if (text === undefined && requiredWith !== undefined && textOf(env, requiredWith) !== undefined) {
      problems.push(`${name} is missing: ${requiredWith} is set`);
    }
  }
  return { values: values as Partial<SettingValues<T>>, problems };
}

/** What the log must never contain. */
export function secretTexts(table: SettingTable, env: Record<string, string | undefined>): string[] {
  return Object.entries(table).flatMap(([name, { isSecret }]) => {
    const text = isSecret ? textOf(env, name) : undefined;
    return text === undefined ? [] : [text, ...text.split(',').map((entry) => entry.trim())];
  });
}

// Docker's --env-file passes on the quotes that a shell takes away.
const QUOTED = /^(['"])(.*)\1$/s;

/** A variable that is set to nothing counts as not set, as in `.env` files. */
function textOf(env: Record<string, string | undefined>, name: string): string | undefined {
  const text = env[name]?.trim();
  const quoted = text && QUOTED.exec(text);
  return (quoted ? quoted[2]?.trim() : text) || undefined;
}

function parse<S extends Schema>(schema: S, text: string): Reading<z.output<S>> {
  const result = schema.safeParse(text);
  if (result.success) return { value: result.data };
  return {
    problems: result.error.issues.map(({ path: [entry], message }) =>
      typeof entry === 'number' ? `entry ${entry + 1} ${message}` : message,
    ),
  };
}

function hintOf({ description, source, command }: SettingFacts): string {
  if (source !== undefined) return `find it in ${source}`;
  return command === undefined ? description.replace(/\.$/, '') : `make one with: ${command}`;
}
