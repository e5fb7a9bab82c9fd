import { Command, CommanderError } from 'commander';
import { readVersion } from '../http/script-bundle.ts';
import { settingsHelp } from '../settings/print.ts';
import { SETTINGS } from '../settings/table.ts';
import { addBackup } from './backup.ts';
import { type AddCommand, type CommandContext, describeFailure, EXIT } from './command.ts';
import { addCompletion } from './completion.ts';
import { addDemo } from './demo.ts';
import { addDev } from './dev.ts';
import { addDoctor } from './doctor.ts';
import { addErase } from './erase.ts';
import { addLink } from './link.ts';
import { addList } from './list.ts';
import { addListen } from './listen.ts';
import { addReconcile } from './reconcile.ts';
import { addResendWebhooks } from './resend-webhooks.ts';
import { addRotateKeys } from './rotate-keys.ts';
import { addSandbox } from './sandbox.ts';
import { addServe } from './serve.ts';
import { addShow } from './show.ts';
import { addSimulator } from './simulator.ts';
import { addTrigger } from './trigger.ts';
import { addWithdrawKeys } from './withdraw-keys.ts';

/** In the order of the help. */
const COMMANDS: AddCommand[] = [
  addServe,
  addDev,
  addDoctor,
  addSandbox,
  addDemo,
  addSimulator,
  addTrigger,
  addListen,
  addList,
  addShow,
  addLink,
  addBackup,
  addRotateKeys,
  addWithdrawKeys,
  addResendWebhooks,
  addErase,
  addReconcile,
  addCompletion,
];

/** As npm installs it. */
export const PROGRAM_NAME = 'finix-bank-connect-server';

export async function createProgram(context: CommandContext): Promise<Command> {
  const program = new Command(PROGRAM_NAME)
    .description('The server of finix-bank-connect, and the commands to try, diagnose and operate it.')
    .version(await readVersion(), '-V, --version', 'print the version')
    .usage('[command] [options]')
    .helpOption('-h, --help', 'print this text')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('Run it with --help to see what it takes.')
    .exitOverride()
    .configureOutput({ writeOut: context.write, writeErr: context.note })
    .addHelpText(
      'after',
      () => `
Without a command it serves. In a clone, \`npm start -- <command>\` is the same. Exit codes: ${EXIT.ok} done, ${EXIT.failed} failed or found something,
${EXIT.usage} wrong arguments, ${EXIT.unreachable} the server, a provider or the database could not be reached.

Settings come from the environment:

${settingsHelp(SETTINGS)}`,
    );
  for (const add of COMMANDS) add(program, context);
  return program;
}

/** @returns the exit code. Never throws: every failure is a sentence on the error stream. */
export async function runProgram(args: string[], context: CommandContext): Promise<number> {
  try {
    const program = await createProgram(context);
    await program.parseAsync(isServe(args) ? ['serve', ...args] : args, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const { message, exitCode } = describeFailure(error);
    context.note(`${message}\n`);
    return exitCode;
  }
}

/** An option in the place of a command is one of `serve`, unless it is the program's own. */
function isServe([first]: string[]): boolean {
  return first === undefined || (first.startsWith('-') && !['-h', '--help', '-V', '--version'].includes(first));
}
