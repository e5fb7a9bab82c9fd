import type { Setting, SettingTable } from './setting.ts';

/** A terminal has 80 columns; the widest prefix takes 6. */
const TEXT_WIDTH = 74;

/** What docs/settings.md shows, as a Markdown table. */
export function settingsMarkdown(table: SettingTable): string {
  const rows = Object.entries(table).map(
    ([name, setting]) => `| \`${name}\` | ${defaultOf(setting)} | ${descriptionOf(setting).replaceAll('|', '\\|')} |`,
  );
  return ['| name | default | description |', '|---|---|---|', ...rows].join('\n');
}

/** What `--help` shows: plain text, a description under each name. */
export function settingsHelp(table: SettingTable): string {
  const sections = [...groupsOf(table)].map(([group, settings]) => {
    const entries = settings.map(([name, setting]) => {
      const { defaultText, isRequired } = setting;
      const note = isRequired ? ' (required)' : defaultText === undefined ? '' : ` (default: ${defaultText})`;
      return `    ${name}${note}\n${wrapped('      ', descriptionOf(setting))}`;
    });
    return `  ${group}\n${entries.join('\n')}`;
  });
  return sections.join('\n\n');
}

/** `.env.example`: what is required has a line to fill in, the rest is a comment with its default. */
export function environmentExample(table: SettingTable): string {
  const sections = [...groupsOf(table)].map(([group, settings]) => {
    const entries = settings.map(([name, setting]) => {
      const { isRequired, example, defaultText = '' } = setting;
      const line = isRequired ? `${name}=${quoted(example ?? '')}` : `# ${name}=${quoted(example ?? defaultText)}`;
      return `${wrapped('# ', descriptionOf(setting))}\n${line}`;
    });
    return `## ${group}\n\n${entries.join('\n\n')}\n`;
  });
  const head = '# Copy to .env, fill in, then: set -a; . ./.env; set +a; npm run build && npm start\n';
  return [head, ...sections].join('\n');
}

function groupsOf(table: SettingTable): Map<string, [name: string, setting: Setting][]> {
  const groups = new Map<string, [string, Setting][]>();
  for (const entry of Object.entries(table)) {
    const { group } = entry[1];
    groups.set(group, [...(groups.get(group) ?? []), entry]);
  }
  return groups;
}

function defaultOf({ isRequired, defaultText }: Setting): string {
  if (isRequired) return 'required';
  return defaultText === undefined ? '' : `\`${defaultText}\``;
}

function descriptionOf({ description, source, command, requiredWith }: Setting): string {
  return [
    description,
    ...(requiredWith === undefined ? [] : [`Needed together with \`${requiredWith}\`.`]),
    ...(source === undefined ? [] : [`Find it in ${source}.`]),
    ...(command === undefined ? [] : [`Make one with \`${command}\`.`]),
  ].join(' ');
}

/** Lines that fit a terminal, each behind the prefix. */
function wrapped(prefix: string, text: string): string {
  const lines = [''];
  for (const word of text.replaceAll('`', '').split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + word.length >= TEXT_WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => prefix + line).join('\n');
}

/** For a shell that reads the file. */
function quoted(value: string): string {
  return /^[\w./:@,-]*$/.test(value) ? value : `"${value}"`;
}
