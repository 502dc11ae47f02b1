/** `/account`: who somebody is, as apps are told, and what of it is theirs to change. */

import { Problem } from '../base/errors.ts';
import type { Form } from '../web/form.ts';
import { personTexts } from '../../views/account/person_texts.ts';
import { profilePage } from '../../views/account/profile.ts';
import { frameOf } from './frame.ts';
import type { AccountPages } from './pages.ts';
import type { AccountRoute, Answer, PersonVisit } from './visit.ts';

const { profile: words } = personTexts;
const longestName = 120;
const tab = 'profile';

/** What can be chosen; whatever else somebody has already stays among the choices. */
const languages = (
  'ar bg ca cs da de el en en-GB en-US es et fa fi fr ga he hi hr hu id is it ja ko lt lv mt nb ' +
  'nl pl pt pt-BR ro ru sk sl sr sv th tr uk vi zh-Hans zh-Hant'
).split(' ');

export function profilePages(deps: AccountPages): AccountRoute[] {
  return [
    {
      method: 'GET',
      path: '/account',
      needs: 'person',
      handle: (visit) => Promise.resolve(page(deps, visit)),
    },
    {
      method: 'POST',
      path: '/account/profile',
      needs: 'person',
      from: '/account',
      handle: (visit) => save(deps, visit),
    },
    {
      method: 'POST',
      path: '/account/profile/forget',
      needs: 'person',
      from: '/account',
      async handle({ user }) {
        await deps.directory.forgetOwnProfile(user);
        return { to: '/account', done: 'forgotten' };
      },
    },
  ];
}

function page(
  deps: AccountPages,
  visit: PersonVisit,
  sent?: { form: Form; problems: ReadonlyMap<string, string> },
): Answer {
  const { person } = visit;
  const { name, email, locale = '', identities } = person;
  const sources = identities.filter((one) => one.email === email);
  const [source] = sources;
  const provider = deps.federation.providers.find(({ id }) => id === source?.provider)?.name;
  const view = {
    frame: { ...frameOf(visit, deps, { tab, done: words.done }), problems: sent?.problems },
    csrf: visit.csrf,
    known: name,
    name: sent?.form.get('name') ?? name ?? '',
    locale: sent?.form.get('locale') ?? locale,
    locales: choicesOf(locale),
    email,
    emailVerified: person.emailVerified === true,
    provider: sources.length === 1 ? provider : undefined,
    hasPicture: person.picture !== undefined,
    hasOwn: person.own !== undefined,
  };
  const drawn = profilePage(view, deps.config.brand);
  return sent === undefined ? { page: drawn } : { page: drawn, status: 400 };
}

async function save(deps: AccountPages, visit: PersonVisit): Promise<Answer> {
  const { user, person, form } = visit;
  const problems = new Map<string, string>();
  const locale = form.get('locale') ?? person.locale ?? '';
  if (locale !== (person.locale ?? '') && !['', ...languages].includes(locale)) {
    problems.set('locale', words.localeProblem);
  }
  // Without a field of its own nothing is said of it: somebody without a name may keep that.
  const name = form.get('name') ?? '';
  const isSame = name === (person.name ?? '');
  try {
    if (problems.size === 0) {
      await deps.directory.changeProfile(user, { ...(isSame ? {} : { name }), locale });
      return { to: '/account', done: 'saved' };
    }
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'name_invalid') throw error;
    problems.set('name', words.nameProblem(longestName));
  }
  return page(deps, visit, { form, problems });
}

function choicesOf(present: string): { value: string; label: string }[] {
  const known = [...new Set([...languages, ...(present === '' ? [] : [present])])];
  const options = known.map((value) => ({ value, label: nameOf(value) }));
  return [
    { value: '', label: words.noLocale },
    ...options.toSorted((a, b) => a.label.localeCompare(b.label, 'en')),
  ];
}

/** In its own words, so that whoever speaks it finds it. */
function nameOf(tag: string): string {
  try {
    const name = new Intl.DisplayNames([tag], { type: 'language' }).of(tag) ?? tag;
    const [first = '', ...rest] = Array.from(name);
    return first.toLocaleUpperCase(tag) + rest.join('');
  } catch {
    // An upstream may say what only looks like a tag.
    return tag;
  }
}
