/** `/account/sessions`: where somebody is signed in, and the way out: of one device, of all others, of all. */

import { textOf } from '../links/link_query.ts';
import { linkCookie } from '../web/cookies.ts';
import { personTexts } from '../../views/account/person_texts.ts';
import { sessionsPage } from '../../views/account/sessions.ts';
import { frameOf } from './frame.ts';
import type { AccountPages } from './pages.ts';
import type { AccountRoute, Answer, PersonVisit } from './visit.ts';

const { sessions: words } = personTexts;
const here = '/account/sessions';

export function sessionPages(deps: AccountPages): AccountRoute[] {
  return [
    { method: 'GET', path: here, needs: 'person', handle: (visit) => page(deps, visit) },
    {
      method: 'POST',
      path: `${here}/end`,
      needs: 'person',
      from: here,
      async handle({ user, form }) {
        const ended = await deps.sessions.end(user, form.get('device') ?? '', 'signed_out');
        return { to: here, done: ended ? 'ended' : 'over' };
      },
    },
    {
      method: 'POST',
      path: `${here}/others`,
      needs: 'person',
      from: here,
      async handle({ user, session }) {
        await deps.sessions.endOthers(user, session, 'signed_out');
        return { to: here, done: 'others' };
      },
    },
    {
      method: 'POST',
      path: `${here}/all`,
      needs: 'person',
      from: here,
      handle: (visit) => endAll(deps, visit),
    },
  ];
}

async function page(deps: AccountPages, visit: PersonVisit): Promise<Answer> {
  const { config, federation } = deps;
  const after = textOf(visit.query, 'after');
  const { sessions, next } = await deps.sessions.list(
    visit.user,
    after === undefined ? {} : { after },
  );
  const names = new Map(config.clients.map(({ id, name }) => [id, name]));
  const devices = sessions.map((one) => ({
    id: one.id,
    name: one.device,
    network: one.network,
    provider: federation.providers.find(({ id }) => id === one.provider)?.name,
    signedInAt: one.signedInAt,
    isCurrent: one.id === visit.session,
    apps: one.clients.flatMap((client) => names.get(client) ?? []),
  }));
  const view = {
    frame: frameOf(visit, deps, { tab: 'sessions', done: words.done }),
    csrf: visit.csrf,
    devices: devices.toSorted(
      (a, b) => Number(b.isCurrent) - Number(a.isCurrent) || b.signedInAt - a.signedInAt,
    ),
    pages: {
      ...(after === undefined ? {} : { before: here }),
      ...(next === undefined ? {} : { after: `${here}?after=${encodeURIComponent(next)}` }),
    },
  };
  return { page: sessionsPage(view, config.brand) };
}

/** What decides is on the user: from then on nothing of before is good, however far the rest comes. */
async function endAll(deps: AccountPages, { ctx, user }: PersonVisit): Promise<Answer> {
  const { config, cookies, directory, oidc, sessions } = deps;
  const before = await directory.revokeUser(user, 'signed_out');
  await sessions.endAll(user, 'signed_out', before);
  await oidc.endSession(ctx, 'signed_out');
  cookies.clear(ctx, linkCookie);
  return { to: config.signout.success };
}
