/**
 * `/account/identities`: the ways in which somebody may sign in. Adding one goes through its provider and comes back to
 * `adding.ts`; what it was begun for is kept on the server, bound to this browser, this person and this sign-in.
 */

import { Problem } from '../base/errors.ts';
import { sha256 } from '../base/secrets.ts';
import { browserFor } from '../web/browsers.ts';
import { identitiesPage, removeIdentityPage } from '../../views/account/identities.ts';
import type { IdentityView } from '../../views/account/identities.ts';
import { personTexts } from '../../views/account/person_texts.ts';
import { frameOf } from './frame.ts';
import type { AccountPages } from './pages.ts';
import type { AccountRoute, Answer, PersonVisit } from './visit.ts';

const { identities: words } = personTexts;
const here = '/account/identities';
const tab = 'identities';

type Entry = PersonVisit['person']['identities'][number];

export function identityPages(deps: AccountPages): AccountRoute[] {
  return [
    {
      method: 'GET',
      path: here,
      needs: 'person',
      handle: (visit) => Promise.resolve(page(deps, visit)),
    },
    {
      method: 'POST',
      path: `${here}/add`,
      needs: 'person',
      fresh: true,
      from: here,
      handle: (visit) => add(deps, visit),
    },
    {
      method: 'GET',
      path: `${here}/remove`,
      needs: 'person',
      fresh: true,
      handle: (visit) => Promise.resolve(question(deps, visit)),
    },
    {
      method: 'POST',
      path: `${here}/remove`,
      needs: 'person',
      fresh: true,
      from: here,
      handle: (visit) => remove(deps, visit),
    },
  ];
}

function page(deps: AccountPages, visit: PersonVisit): Answer {
  const view = {
    frame: frameOf(visit, deps, { tab, done: words.done }),
    csrf: visit.csrf,
    identities: visit.person.identities.map((entry) => viewOf(deps, entry)),
    providers: deps.federation.providers,
  };
  return { page: identitiesPage(view, deps.config.brand) };
}

function viewOf({ federation }: AccountPages, entry: Entry): IdentityView {
  const provider = federation.providers.find(({ id }) => id === entry.provider);
  return {
    key: keyOf(entry),
    provider: provider?.name ?? entry.provider,
    icon: provider?.icon ?? 'oidc',
    email: entry.email,
    since: entry.linkedAt,
    usedAt: entry.usedAt,
    isGone: provider === undefined,
  };
}

/** What a provider calls somebody is not for pages and logs. */
function keyOf({ issuer, subject }: Entry): string {
  return sha256(JSON.stringify([issuer, subject]));
}

async function add(deps: AccountPages, visit: PersonVisit): Promise<Answer> {
  const { ctx, user, session, form } = visit;
  const { url } = await deps.federation.start(form.get('provider') ?? '', {
    linking: { user, session },
    browser: browserFor(ctx, deps.cookies),
    // Otherwise it would mostly answer with whom they have here already.
    prompt: 'select_account',
  });
  return { to: url };
}

function question(deps: AccountPages, visit: PersonVisit): Answer {
  const entry = ofTheirs(visit, visit.query.get('identity'));
  if (entry === undefined) return { to: here, done: 'gone' };
  if (visit.person.identities.length === 1) throw lastOne();
  const view = {
    frame: frameOf(visit, deps, { tab }),
    csrf: visit.csrf,
    identity: viewOf(deps, entry),
  };
  return { page: removeIdentityPage(view, deps.config.brand) };
}

async function remove(deps: AccountPages, visit: PersonVisit): Promise<Answer> {
  const entry = ofTheirs(visit, visit.form.get('identity'));
  if (entry === undefined) return { to: here, done: 'gone' };
  try {
    const { issuer, subject } = entry;
    const wasThere = await deps.directory.unlinkIdentity(visit.user, issuer, subject);
    return { to: here, done: wasThere ? 'removed' : 'gone' };
  } catch (error) {
    if (error instanceof Problem && error.code === 'last_identity') throw lastOne(error);
    throw error;
  }
}

function ofTheirs({ person }: PersonVisit, key: string | undefined): Entry | undefined {
  return person.identities.find((entry) => keyOf(entry) === key);
}

function lastOne(cause?: Problem): Problem {
  return new Problem('last_identity', 409, 'Without this sign-in nobody could get in again.', {
    cause,
    details: { linking: true },
  });
}
