import type { Compilable, CompiledQuery } from 'kysely';
import type { Storage } from './open.ts';

/** The place of the value in the text that is kept: no value of a constant part is the same. */
const PLACE = '\0the value';

/**
 * A query for the rows of one text, such as an id, which is built once for each database: building it takes longer than
 * running it.
 * @param build must not look at the value
 */
export function keptSelect<R>(build: (db: Storage['db'], value: string) => Compilable<R>) {
  const kept = new WeakMap<Storage['db'], CompiledQuery<R>>();
  return async ({ db }: Pick<Storage, 'db'>, value: string): Promise<R[]> => {
    const query = kept.get(db) ?? build(db, PLACE).compile();
    kept.set(db, query);
    const parameters = query.parameters.map((parameter) => (parameter === PLACE ? value : parameter));
    return (await db.executeQuery<R>({ ...query, parameters })).rows;
  };
}
