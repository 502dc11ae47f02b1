/** `tollgate sessions …`: where somebody is signed in, and ending that. */

import { count, living, unknown } from '../command_confirm.ts';
import { json, moment, table } from '../command_store.ts';
import { createOwnSessions } from '../oidc/own_sessions.ts';
import type { UserSession } from '../oidc/own_sessions.ts';
import type { PeopleAsked, PeopleValues } from './asked.ts';
import { carriedOut } from './changing.ts';
import { known, times } from './reading.ts';
import type { AdminRooms } from './rooms.ts';

const mostSessions = 1000;

export async function sessions(rooms: AdminRooms, asked: PeopleAsked): Promise<string> {
  const { store, endings } = rooms;
  const [id = ''] = asked.ids;
  if (asked.action === 'list') {
    if ((await store.get('user', id)) === undefined) throw unknown('user', id);
    return list(rooms, id, asked.values);
  }
  const session = (await store.get('session', id))?.document;
  if (session === undefined) throw unknown('session', id);
  const grants = await living(store, 'grant', 'session', id);
  const sentence = `Signs out the session ${id} of the user ${session.user ?? '(nobody)'}, and ends its ${count(grants, 'grant')}.`;
  return carriedOut(rooms, asked.values, {
    sentence,
    async carryOut() {
      await endings.session(id, 'operator');
      return { id, ended: true };
    },
  });
}

async function list(rooms: AdminRooms, user: string, values: PeopleValues): Promise<string> {
  const { sessions: found } = await createOwnSessions(rooms).list(user, { limit: mostSessions });
  if (values.json) return json({ sessions: found.map(described) });
  if (found.length === 0) return 'They are signed in nowhere.\n';
  const rows = found.map(({ id, device = '-', network = '-', signedInAt, expiresAt }) => [
    id,
    device,
    network,
    moment(signedInAt),
    moment(expiresAt),
  ]);
  return table([['SESSION', 'DEVICE', 'NETWORK', 'SIGNED IN', 'UNTIL'], ...rows]);
}

function described({ id, device, network, signedInAt, expiresAt }: UserSession) {
  return known({
    id,
    device,
    network,
    ...times({ signed_in_at: signedInAt, expires_at: expiresAt }),
  });
}
