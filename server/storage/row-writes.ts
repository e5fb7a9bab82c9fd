import { type Insertable, type RawBuilder, type Selectable, sql } from 'kysely';
import type { Database } from './tables.ts';

/**
 * Writes of single rows, whose SQL is put together once for each list of columns: for the tables that every connected
 * bank writes, building the same statement from parts each time costs more than running it. Columns that are undefined
 * are left out.
 */

type Table = keyof Database & string;

type Row<T extends Table> = Selectable<Database[T]>;
/** Values, or SQL that gives them. */
type Patch<T extends Table> = { [C in keyof Row<T>]?: Row<T>[C] | RawBuilder<Row<T>[C]> };

/** The texts between the values, as a template literal has them. */
const texts = new Map<string, TemplateStringsArray>();

/** `insert into …`, without a semicolon or a `returning`, which can follow in a larger statement. */
export function insertRow<T extends Table>(
  table: T,
  row: Insertable<Database[T]>,
): RawBuilder<Record<string, unknown>> {
  return insertRows(table, [row]);
}

/** As `insertRow`, of a few rows that have the same columns: there is a text for each number of them. */
export function insertRows<T extends Table>(
  table: T,
  rows: readonly Insertable<Database[T]>[],
): RawBuilder<Record<string, unknown>> {
  const entries = rows.map(definedEntries);
  const columns = (entries[0] ?? []).map(([column]) => column);
  return written(`+${table}:${rows.length}:${columns}`, entries.flat(), () => {
    const between = columns.slice(1).map(() => ', ');
    const others = rows.slice(1).flatMap(() => ['), (', ...between]);
    return [`insert into ${quoted(table)} (${columns.map(quoted).join(', ')}) values (`, ...between, ...others, ')'];
  });
}

/** `update … set … where …`, of the rows in which all columns of `where` have these values, none of them null. */
export function updateRow<T extends Table>(
  table: T,
  where: Partial<Row<T>>,
  patch: Patch<T>,
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

/** The row that a statement must have given. */
export function theOnly<R>(rows: readonly R[]): R {
  const [row] = rows;
  if (row === undefined) throw new Error('a statement gave no row');
  return row;
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
