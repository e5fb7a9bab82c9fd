import { Argument, type Command } from 'commander';
import type { AddCommand } from './command.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export const addCompletion: AddCommand = (program, context) => {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'the shell that completes').choices(SHELLS))
    .summary('print a script that completes commands and options')
    .description(
      `Prints a completion script. For this session:\n\n  bash: source <(${program.name()} completion bash)\n  zsh:  source <(${program.name()} completion zsh)\n  fish: ${program.name()} completion fish | source`,
    )
    .action((shell: Shell) => {
      context.write(SCRIPTS[shell](program.name(), words(program)));
    });
};

/** The words that can follow each command; the program's own under an empty name. */
function words(program: Command): Map<string, { word: string; summary: string }[]> {
  const ofCommand = (command: Command) => [
    ...command.registeredArguments.flatMap(({ argChoices }) =>
      (argChoices ?? []).map((word) => ({ word, summary: '' })),
    ),
    ...command.options.flatMap(({ long, description }) => (long ? [{ word: long, summary: description }] : [])),
    { word: '--help', summary: 'print the help of this command' },
  ];
  const commands = program.commands.map((command) => ({ word: command.name(), summary: command.summary() }));
  return new Map([
    ['', [...commands, ...ofCommand(program)]],
    ...program.commands.map((command) => [command.name(), ofCommand(command)] as const),
  ]);
}

type Words = ReturnType<typeof words>;

const functionName = (name: string) => `_${name.replace(/\W/g, '_')}`;
/** In single quotes, where a shell reads nothing but the quote itself. */
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

const SCRIPTS: Record<Shell, (name: string, words: Words) => string> = {
  bash: (name, all) => `${functionName(name)}() {
  local words
  case "\${COMP_WORDS[1]}" in
${[...all]
  .filter(([command]) => command !== '')
  .map(([command, list]) => `    ${command}) words=${quoted(list.map(({ word }) => word).join(' '))} ;;`)
  .join('\n')}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words=${quoted((all.get('') ?? []).map(({ word }) => word).join(' '))}; fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F ${functionName(name)} ${name}
`,
  zsh: (name, all) => `#compdef ${name}
${functionName(name)}() {
  local -a choices
  if (( CURRENT == 2 )); then
    choices=(${described(all.get('') ?? [])})
  else
    case "\${words[2]}" in
${[...all]
  .filter(([command]) => command !== '')
  .map(([command, list]) => `      ${command}) choices=(${described(list)}) ;;`)
  .join('\n')}
    esac
  fi
  _describe -t commands ${name} choices || _files
}
compdef ${functionName(name)} ${name}
`,
  fish: (name, all) =>
    [...all]
      .flatMap(([command, list]) =>
        list.map(({ word, summary }) => {
          const when = command === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${command}`;
          const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`;
          return `complete -c ${name} -n ${quoted(when)} ${what} -d ${quoted(summary)}`;
        }),
      )
      .join('\n')
      .concat('\n'),
};

/** For zsh's _describe: a colon parts the word from its description. */
function described(list: { word: string; summary: string }[]): string {
  return list.map(({ word, summary }) => quoted(`${word}:${summary.replaceAll(':', '')}`)).join(' ');
}
