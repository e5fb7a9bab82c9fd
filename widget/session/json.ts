/**
 * JSON of plain data. Old libraries give arrays and objects a `toJSON` of their own, and what `JSON.stringify` makes of
 * them on such a page is not the same data. Strings and numbers by themselves are written without asking for one.
 */
export function toJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => toJson(item ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${toJson(field)}`).join(',')}}`;
}
