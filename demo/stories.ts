import type { CreateSessionRequest } from '../widget/contract.ts';

/** A way that connecting a bank can go, in the words of a meeting rather than of an engineer. */
export interface Story {
  id: string;
  group: (typeof STORY_GROUPS)[number];
  title: string;
  /** What the audience will see. */
  sentence: string;
  /** The simulator's scenario, which Link is filled in with. */
  username: string;
  /** What the merchant asks for in this story. */
  session?: Pick<CreateSessionRequest, 'ownership'>;
  /** The connect server's process is killed while Finix makes the instrument. */
  kills?: true;
}

export const STORY_GROUPS = ['It works', 'The bank says no', 'Something breaks later', 'Our side fails'] as const;

const story = (
  group: Story['group'],
  username: string,
  title: string,
  sentence: string,
  more: Partial<Story> = {},
): Story => ({ id: more.id ?? username, group, title, sentence, username, ...more });

const [WORKS, BANK, LATER, OURS] = STORY_GROUPS;

export const STORIES: readonly Story[] = [
  story(WORKS, 'user_good', 'The usual way', 'The customer signs in, picks an account, and it can be charged.'),
  story(WORKS, 'user_one_account', 'One account', 'Nothing to choose: the customer has a single account.'),
  story(WORKS, 'user_several', 'Four accounts', 'The customer has two checking accounts, savings and cash management.'),
  story(
    WORKS,
    'user_business',
    'A company’s account',
    'The account belongs to a business, and the connection says so.',
  ),
  story(BANK, 'user_bank_down', 'The bank is down', 'Link says so, and the customer takes another bank.'),
  story(BANK, 'user_ineligible', 'No suitable account', 'Only a credit card and a loan: there is another way to pay.'),
  story(BANK, 'user_no_accounts', 'No account at all', 'The sign-in works, but there is nothing behind it.'),
  story(
    BANK,
    'user_owner_mismatch',
    'Someone else’s account',
    'The account holder is not the customer. The merchant requires a match, so nothing is kept.',
    { session: { ownership: 'require' } },
  ),
  story(
    BANK,
    'user_owner_mismatch',
    'Someone else’s account, allowed',
    'The merchant asks only to be told. The account connects, and the check before the debit stops it.',
    { id: 'owner_reported', session: { ownership: 'report' } },
  ),
  story(
    LATER,
    'user_verified_later',
    'Small deposits first',
    'The bank confirms the account later; then the order is charged.',
  ),
  story(LATER, 'user_broken_later', 'The login breaks', 'After 15 seconds the bank asks for another sign-in.'),
  story(LATER, 'user_revoked_later', 'Permission ends', 'After 15 seconds the customer takes the permission back.'),
  story(
    LATER,
    'user_renumbered_later',
    'A new account number',
    'After 15 seconds the bank gives the account another number.',
  ),
  story(
    OURS,
    'user_good',
    'Our server is killed',
    'The process dies while Finix makes the instrument. There is one all the same.',
    {
      id: 'killed',
      kills: true,
    },
  ),
  story(
    OURS,
    'user_timeout_after_commit',
    'An answer is lost',
    'Finix makes the instrument, and its answer never arrives.',
  ),
  story(OURS, 'user_slow', 'Everything is slow', 'Plaid and Finix take two seconds for each call.'),
  story(
    OURS,
    'user_rate_limited',
    'Too many requests',
    'Plaid refuses three calls; they are repeated with growing pauses.',
  ),
  story(
    OURS,
    'user_finix_refuses',
    'Finix says no',
    'The account can’t be used; the customer learns it with a way forward.',
  ),
  story(
    OURS,
    'user_spent_token',
    'A token is spent',
    'The public token is refused, and the customer starts again at once.',
  ),
];

/** The usual way where there is no such story. */
export function findStory(id: string): Story {
  return STORIES.find((one) => one.id === id) ?? (STORIES[0] as Story);
}
