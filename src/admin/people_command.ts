/** `tollgate users|accounts|members|invitations|sessions …`: one action, on the functions that pages use. */

import type { Config } from '../config.ts';
import { accounts } from './accounts.ts';
import type { PeopleAsked } from './asked.ts';
import { invitations } from './invitations.ts';
import { members } from './members.ts';
import { withRooms } from './rooms.ts';
import { sessions } from './sessions.ts';
import { users } from './users.ts';

const rooms = { users, accounts, members, invitations, sessions } as const;

/** @returns what is to be printed */
export async function people(config: Config, asked: PeopleAsked): Promise<string> {
  return withRooms(config, (opened) => rooms[asked.noun](opened, asked));
}
