/**
 * Code in the documents that is a part of a file, which tests run or compile. In Markdown, above the fence:
 *
 *     <!-- snippet: docs/snippets/backend/backend.mjs#create -->
 *
 * names the file and, after `#`, the region: its lines between `#region create` and `#endregion`, in a comment of the
 * file's language.
 */

/** The mark and the fence below it, also within a quotation. */
const FENCE = /^((?:> )?)<!-- snippet: ([\w./[\]+-]+)(?:#([\w-]+))? -->\n\1```(\w+)\n([\s\S]*?)^\1```$/gm;

export interface Snippet {
  file: string;
  region?: string;
  language: string;
  code: string;
}

export function snippetsIn(markdown: string): Snippet[] {
  return [...markdown.matchAll(FENCE)].map(([, quote = '', file = '', region, language = '', body = '']) => ({
    file,
    ...(region === undefined ? {} : { region }),
    language,
    code: body.replaceAll(new RegExp(`^${quote.trimEnd()} ?`, 'gm'), ''),
  }));
}

/**
 * The document with the code as it is in the files now.
 * @param read a file's text, by its path relative to the project
 * @throws Error for a region that the file does not have
 */
export function fillSnippets(markdown: string, read: (file: string) => string): string {
  return markdown.replace(FENCE, (_all, quote: string, file: string, region: string | undefined, language: string) => {
    const code = cut(read(file), file, region);
    const mark = `<!-- snippet: ${file}${region === undefined ? '' : `#${region}`} -->`;
    const lines = [mark, `\`\`\`${language}`, ...code.split('\n'), '```'];
    return lines.map((line) => (line === '' ? quote.trimEnd() : quote + line)).join('\n');
  });
}

function cut(text: string, file: string, region: string | undefined): string {
  if (region === undefined) return text.trim();
  const lines = text.split('\n');
  // `// #region`, and in Python `# region`.
  const begin = new RegExp(`# ?region ${region}(\\s|$)`);
  const from = lines.findIndex((line) => begin.test(line));
  const length = lines.slice(from + 1).findIndex((line) => /# ?endregion/.test(line));
  if (from < 0 || length < 0) throw new Error(`${file} has no region ${region}`);
  const inside = lines.slice(from + 1, from + 1 + length);
  const indent = Math.min(...inside.filter((line) => line.trim()).map((line) => line.length - line.trimStart().length));
  return inside
    .map((line) => line.slice(indent))
    .join('\n')
    .trim();
}
