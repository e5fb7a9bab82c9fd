import { type Insertable, type RawBuilder, type Selectable, sql } from 'kysely';
import type { Database } from './tables.ts';

/**
 * Writes of single rows, whose SQL is put together once for each list of columns: for the tables that every connected
 * bank writes, building the same statement from parts each time costs more than running it. Columns that are undefined
 * are left out.
 */

type Table = keyof Database & string;

/** The texts between the values, as a template literal has them. */
const texts = new Map<string, TemplateStringsArray>();

/** `insert into …`, without a semicolon or a `returning`, which can follow in a larger statement. */
export function insertRow<T extends Table>(
  table: T,
  row: Insertable<Database[T]>,
): RawBuilder<Record<string, unknown>> {
  const entries = definedEntries(row);
  const columns = entries.map(([column]) => column);
  return written(`+${table}:${columns}`, entries, () => [
    `insert into ${quoted(table)} (${columns.map(quoted).join(', ')}) values (`,
    ...columns.slice(1).map(() => ', '),
    ')',
  ]);
}

/** `update … set … where …`, of the rows in which all columns of `where` have these values, none of them null. */
export function updateRow<T extends Table>(
  table: T,
  where: Partial<Selectable<Database[T]>>,
  patch: Partial<Selectable<Database[T]>>,
): RawBuilder<Record<string, unknown>> {
  const set = definedEntries(patch);
  const found = definedEntries(where);
  const entries = [...set, ...found];
  return written(`=${table}:${set.map(([column]) => column)}:${found.map(([column]) => column)}`, entries, () => {
    const before = entries.map(([column], i) => {
      const name = `${quoted(column)} = `;
      if (i === 0) return `update ${quoted(table)} set ${name}`;
      if (i === set.length) return ` where ${name}`;
      return `${i < set.length ? ', ' : ' and '}${name}`;
    });
    return [...before, ''];
  });
}

function written(
  key: string,
  entries: [string, unknown][],
  build: () => string[],
): RawBuilder<Record<string, unknown>> {
  let text = texts.get(key);
  if (!text) {
    const parts = build();
    text = Object.assign(parts, { raw: parts });
    texts.set(key, text);
  }
  return sql(text, ...entries.map(([, value]) => value));
}

function definedEntries(row: object): [string, unknown][] {
  return Object.entries(row).filter(([, value]) => value !== undefined);
}

/** Names of tables and columns are ours: none has a quotation mark. */
function quoted(name: string): string {
  return `"${name}"`;
}
