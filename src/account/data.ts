/** A person's own data: all of it as a file, and its end. What happens then is said before, and can be taken back for a while. */

import { Readable } from 'node:stream';
import type { DeletionPlan } from '../directory/deletion.ts';
import { Problem } from '../base/errors.ts';
import { dataPage, deletedPage, deletePage } from '../../views/account/data.ts';
import { dataTexts } from '../../views/account/data_texts.ts';
import { frameOf } from './frame.ts';
import type { AccountPages } from './pages.ts';
import type { AccountRoute, Answer, PersonRoute, PersonVisit } from './visit.ts';

const path = '/account/data';
const deletePath = '/account/data/delete';

/** A file reads all rows of somebody: nobody needs many of them. */
const fileLimit = {
  name: 'person_file',
  limit: 5,
  windowSeconds: 3600,
  whenStoreFails: 'closed',
} as const;

export function dataPages(deps: AccountPages): AccountRoute[] {
  const routes: Omit<PersonRoute, 'needs'>[] = [
    { method: 'GET', path, handle: (visit) => Promise.resolve(overview(deps, visit)) },
    {
      method: 'POST',
      path: `${path}/file`,
      fresh: true,
      from: path,
      handle: (visit) => file(deps, visit),
    },
    {
      method: 'GET',
      path: deletePath,
      fresh: true,
      handle: (visit) => question(deps, visit),
    },
    {
      method: 'POST',
      path: deletePath,
      fresh: true,
      from: deletePath,
      handle: (visit) => remove(deps, visit),
    },
    {
      method: 'POST',
      path: `${path}/keep`,
      from: path,
      handle: async ({ user }) =>
        (await deps.directory.withdrawDeletion(user)) ? { to: path, done: 'kept' } : { to: path },
    },
  ];
  return routes.map((route) => ({ needs: 'person', ...route }));
}

function overview(deps: AccountPages, visit: PersonVisit): Answer {
  const { person, csrf } = visit;
  const frame = frameOf(visit, deps, { tab: 'data', done: dataTexts.done });
  const deletion = person.deletion && { dueAt: person.deletion.dueAt };
  return { page: dataPage({ ...frame, csrf, path, deletion }, deps.config.brand) };
}

async function file({ directory, limits }: AccountPages, { user }: PersonVisit): Promise<Answer> {
  await limits.take(fileLimit, user);
  const body = Readable.from(directory.exportPerson(user));
  return { file: { name: 'my-data.json', type: 'application/json', body } };
}

async function question(deps: AccountPages, visit: PersonVisit): Promise<Answer> {
  if (visit.person.deletion !== undefined) return { to: path };
  return asked(deps, visit, await deps.directory.deletionPlan(visit.user));
}

function asked(deps: AccountPages, visit: PersonVisit, plan: DeletionPlan): Answer {
  const { config } = deps;
  const frame = frameOf(visit, deps, { tab: 'data' });
  const view = { ...frame, ...plan, csrf: visit.csrf, path, days: config.people.deletionDays };
  return { page: deletePage(view, config.brand) };
}

async function remove(deps: AccountPages, visit: PersonVisit): Promise<Answer> {
  const { directory, config, clock } = deps;
  try {
    const dueAt = await directory.askDeletion(visit.user, config.people.deletionDays);
    if (dueAt > clock()) return { to: path, done: 'asked' };
    return { page: deletedPage(config.brand) };
  } catch (error) {
    // Became the last owner since the page was read: it says what there is to do.
    if (!(error instanceof Problem) || error.code !== 'last_owner') throw error;
    const plan = await directory.deletionPlan(visit.user);
    return { status: 409, ...asked(deps, visit, plan) };
  }
}
