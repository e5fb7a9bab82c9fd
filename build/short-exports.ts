/** Names that the bundler has made for what only other chunks of the script ask for. */
const INTERNAL = /^[\w$]{1,2}$/;
const EXPORTS = /export\{([^}]*)\};?$/;

/**
 * A chunk's exports under the names that they have in it, which its list of exports then gives once instead of twice.
 * @param code as it is after all names have become short
 * @returns the code, and what is exported under another name than before
 */
export function shortenExports(code: string): { code: string; renamed: Map<string, string> } {
  const renamed = new Map<string, string>();
  const short = code.replace(EXPORTS, (_statement, list: string) => {
    const items = list.split(',').map((item) => {
      const [local = '', exported = local] = item.split(' as ');
      if (!INTERNAL.test(exported)) return item;
      renamed.set(exported, local);
      return local;
    });
    return `export{${items.sort().join(',')}};`;
  });
  return { code: short, renamed };
}

/** The code of a chunk that imports from another one, whose exports have been renamed. */
export function importRenamed(code: string, file: string, renamed: ReadonlyMap<string, string>): string {
  const at = file.replaceAll('.', '\\.');
  const rename = (separator: string) => (_statement: string, start: string, list: string, end: string) => {
    const items = list.split(',').map((item) => {
      const [imported = '', local = imported] = item.split(separator);
      return `${renamed.get(imported) ?? imported}${separator}${local}`;
    });
    return start + items.join(',') + end;
  };
  return code
    .replace(new RegExp(`(import\\{)([^}]*)(\\}from"\\./${at}")`), rename(' as '))
    .replace(new RegExp(`(const\\{)([^}]*)(\\}=await import\\(\`\\./${at})`), rename(':'));
}
