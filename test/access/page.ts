/** `docs/access.md`, made of the routes and the table. Delete it and run its test to have it made anew. */

import type { Served } from './routes.ts';
import { commands, table } from './table.ts';
import type { Needs } from './table.ts';

type Word = Needs | 'owner' | 'members' | 'settings' | 'activity' | 'billing';

const words: Record<Word, string> = {
  anybody: 'anybody',
  person: 'who is signed in',
  member: 'members of the account',
  payer: 'owners, and roles with `billing`',
  sealed: 'our own page, for one person at one browser',
  client: 'an app or service, by its own credentials',
  stripe: 'Stripe, by its signature',
  owner: 'owners',
  members: 'owners, and roles with `members`',
  settings: 'owners, and roles with `settings`',
  activity: 'owners, and roles with `activity`',
  billing: 'owners, and roles with `billing`',
};

const opening = `# Who may use what

<!-- Made by test/access from the routes that a server answers. Do not edit it here. -->

Every address that Tollgate answers, and who gets in. A test tries each of them as an owner, an admin, an accountant, a member, somebody who was
removed, the owner of another account, and nobody, and fails where an address is missing here. What the roles may do is in the
configuration (\`roles\`). The endpoints of the standards under \`/oauth2/\` and \`/.well-known/\` are the library's, and judge clients and tokens.

"Fresh" means: who signed in longer than ten minutes ago does so again first.
`;

export function page(routes: readonly Served[]): string {
  const own = routes.filter(({ account }) => account !== undefined);
  const rows = own.map(({ name, account }) => {
    const { needs, fresh } = account ?? { needs: 'person' as const };
    return `| \`${name}\` | ${words[needs]} | ${fresh === true ? 'yes' : ''} |`;
  });
  const others = Object.entries(table).map(
    ([name, { needs, why }]) => `| \`${name}\` | ${words[needs]} | ${why} |`,
  );
  const run = Object.entries(commands).map(([name, what]) => `| \`${name}\` | ${what} |`);
  return `${opening}
## Pages of people and accounts

| address | who | fresh |
| --- | --- | --- |
${rows.join('\n')}

## All others

| address | who | what it is |
| --- | --- | --- |
${others.join('\n')}

## Commands

Whoever can run them on a machine with the configuration, its secrets and the store is the operator, and may do all of it. What changes something
says first what it will do, and needs \`--yes\` or an answer.

| command | what it can do |
| --- | --- |
${run.join('\n')}
`;
}
