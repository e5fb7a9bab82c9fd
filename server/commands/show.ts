import { loadStorageSettings } from '../config.ts';
import { readTimeline } from '../records/timeline.ts';
import { openStorage } from '../storage/open.ts';
import { type AddCommand, CommandError } from './command.ts';
import { plain } from './table.ts';
import { requireDatabase } from './with-storage.ts';

export const addShow: AddCommand = (program, context) => {
  program
    .command('show')
    .argument('<id>', 'of a session (ses_…), a connection (con_…) or a link (lnk_…), or your id of a customer')
    .summary('print the timeline of a session, connection, link or customer')
    .description(
      'Prints what happened, oldest first: states, who did what, calls to Plaid and Finix with the request ids that their support asks for, and webhooks in both directions. Reads the database and changes nothing; needs only DATABASE_URL or DATA_DIR. Calls are kept for 30 days, webhooks and sessions for the times in docs/operations.md.',
    )
    .option('--json', 'print it as JSON')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const settings = loadStorageSettings(context.env);
      const { pending } = await requireDatabase(settings);
      // Opening it would bring it up to date, under a server of an earlier version.
      if (pending.length > 0)
        throw new CommandError('An earlier version has written the database: start this one first.');
      const storage = await openStorage(settings);
      try {
        const timeline = await readTimeline(storage, id);
        if (!timeline) throw new CommandError(`Nothing has the id ${plain(id)}. Sessions are kept for 30 to 90 days.`);
        if (json) return context.write(`${JSON.stringify(timeline)}\n`);
        for (const subject of timeline.subjects) context.write(`${subject.id}  ${plain(subject.text)}\n`);
        context.write('\n');
        const isOne = timeline.subjects.length === 1;
        for (const { at, kind, text, session, connection } of timeline.entries) {
          const about = isOne ? '' : `  [${connection ?? session ?? ''}]`.replace('  []', '');
          context.write(`${at.replace('T', ' ').replace('Z', '')}  ${kind.padEnd(8)}  ${plain(text)}${about}\n`);
        }
      } finally {
        await storage.close();
      }
    });
};
