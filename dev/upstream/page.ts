/**
 * The page of a development upstream: choose a person, type one, refuse, or break something.
 *
 * It is one form that posts to the address that it stands at. Its fields:
 * - buttons `person=<key>` for the known people, `person=someone` for the typed one (the form's first
 *   button, out of sight, is that one too: it is what the Enter key presses);
 * - `name`, `email`, `subject` (text, may be empty) and `verified` (`yes` when ticked) of the typed one;
 * - button `refuse=yes`;
 * - `fault`: what goes wrong with this sign-in, empty for nothing.
 */

import type { Person } from '../people.ts';
import type { FaultChoice } from './faults.ts';

export interface SigninPage {
  /** Such as `Example ID`. */
  upstream: string;
  /** Who asks: the client's id. */
  client: string;
  people: readonly Person[];
  faults: readonly FaultChoice[];
  /** Offered first, and typed in where nobody has it. */
  loginHint?: string | undefined;
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

const style = `
:root { color-scheme: light dark; --paper: #fff; --back: #f4f4f1; --ink: #1d1d1b; --quiet: #5f5f58;
  --line: #d8d7d0; --accent: #0f5e5a; --tint: #eef5f4; }
@media (prefers-color-scheme: dark) { :root { --paper: #20211f; --back: #151614; --ink: #eeeeea;
  --quiet: #a9a9a1; --line: #3b3c38; --accent: #6fc7c0; --tint: #243230; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 25rem; margin: 8vh auto 3rem; padding: 2rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: 10px; }
h1 { font-size: 1.375rem; line-height: 1.25; margin: 0 0 .25rem; }
p { margin: 0 0 1.5rem; color: var(--quiet); }
.note { margin: 0 0 1.25rem; font-size: .8125rem; font-weight: 600; letter-spacing: .02em;
  color: var(--accent); }
button { font: inherit; color: inherit; min-height: 44px; width: 100%; border-radius: 8px;
  border: 1px solid var(--line); background: none; cursor: pointer; padding: .5rem .875rem; }
button:hover { border-color: var(--accent); background: var(--tint); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.person { display: grid; grid-template-columns: 2.5rem 1fr; column-gap: .75rem; align-items: center;
  text-align: start; margin-bottom: .5rem; }
.person i { grid-row: span 2; width: 2.5rem; height: 2.5rem; border-radius: 50%; display: grid;
  place-items: center; font-style: normal; font-weight: 600; color: var(--accent);
  background: var(--tint); }
.person b { font-weight: 600; line-height: 1.3; }
.person span { font-size: .8125rem; color: var(--quiet); overflow-wrap: anywhere; }
details { border-top: 1px solid var(--line); margin-top: 1rem; padding-top: .75rem; }
summary { cursor: pointer; min-height: 32px; font-weight: 600; }
label { display: block; margin: .75rem 0 .25rem; font-size: .875rem; font-weight: 600; }
label.check { display: flex; gap: .5rem; align-items: center; font-weight: 400; min-height: 32px; }
input:not([type=checkbox]), select { font: inherit; color: inherit; width: 100%; min-height: 44px;
  padding: .5rem .625rem; border: 1px solid var(--line); border-radius: 8px; background: var(--paper); }
input[type=checkbox] { margin: 0; width: 1.125rem; height: 1.125rem; accent-color: var(--accent); }
.go { margin-top: 1rem; background: var(--accent); color: var(--paper); border-color: var(--accent);
  font-weight: 600; }
.go:hover { color: var(--ink); }
.enter { position: absolute; inset-inline-start: -999rem; width: auto; }
.refuse { margin-top: 1rem; border-color: transparent; color: var(--quiet); }
@media (max-width: 30rem) { main { margin: 0; border: 0; border-radius: 0; min-height: 100vh; } }
`;

function shell(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body><main>${body}</main></body>
</html>
`;
}

function initials(name: string): string {
  const words = name.split(' ').filter((word) => word !== '');
  return `${words[0]?.[0] ?? ''}${words.length > 1 ? (words.at(-1)?.[0] ?? '') : ''}`;
}

function personButton(person: Person): string {
  return `<button class="person" name="person" value="${escape(person.key)}">
<i aria-hidden="true">${escape(initials(person.name))}</i>
<b>${escape(person.name)}</b><span>${escape(person.email)}<br>${escape(person.about)}</span>
</button>`;
}

function someoneElse(hint: string): string {
  const open = hint === '' ? '' : ' open';
  return `<details${open}><summary>Somebody else</summary>
<label for="name">Name</label><input id="name" name="name" autocomplete="off">
<label for="email">E-mail address</label>
<input id="email" name="email" type="text" inputmode="email" autocomplete="off" value="${escape(hint)}">
<label for="subject">Subject (made from the address when empty)</label>
<input id="subject" name="subject" autocomplete="off">
<label class="check"><input type="checkbox" name="verified" value="yes" checked>
The address is verified</label>
<button class="go" name="person" value="someone">Continue as this person</button>
</details>`;
}

function somethingBroken(faults: readonly FaultChoice[]): string {
  const options = faults.map(
    (fault) => `<option value="${escape(fault.value)}">${escape(fault.text)}</option>`,
  );
  return `<details><summary>Break something</summary>
<label for="fault">In this sign-in, the provider</label>
<select id="fault" name="fault"><option value="">does everything right</option>
${options.join('\n')}</select>
</details>`;
}

export function signinPage(page: SigninPage): string {
  const hint = page.loginHint ?? '';
  const known = page.people.filter((person) => person.email === hint);
  const others = page.people.filter((person) => person.email !== hint);
  return shell(
    `Sign in with ${page.upstream}`,
    `<div class="note">For development: no password is asked</div>
<h1>Sign in with ${escape(page.upstream)}</h1>
<p>to go on to ${escape(page.client)}</p>
<form method="post">
<button class="enter" name="person" value="someone" tabindex="-1" aria-hidden="true">Enter</button>
${[...known, ...others].map(personButton).join('\n')}
${someoneElse(known.length === 0 ? hint : '')}
${somethingBroken(page.faults)}
<button class="refuse" name="refuse" value="yes">Refuse, and go back</button>
</form>`,
  );
}

/** For requests that must not be redirected anywhere. */
export function refusalPage(upstream: string, sentence: string): string {
  return shell(
    `${upstream}: not possible`,
    `<div class="note">${escape(upstream)}, for development</div>
<h1>This sign-in request cannot be answered</h1><p>${escape(sentence)}</p>`,
  );
}

/** Who was chosen or typed in the form; `undefined` when nobody was. */
export function chosenPerson(form: URLSearchParams, people: readonly Person[]): Person | undefined {
  const key = form.get('person') ?? '';
  if (key !== 'someone') return people.find((person) => person.key === key);
  const email = (form.get('email') ?? '').slice(0, 320);
  const subject = (form.get('subject') ?? '').slice(0, 255) || `typed-${email || 'nobody'}`;
  return {
    key,
    name: (form.get('name') ?? '').slice(0, 200),
    email,
    emailVerified: form.get('verified') === 'yes',
    about: '',
    subject,
    github: { id: numberFrom(subject), login: email.split('@')[0] || 'someone' },
  };
}

/** A numeric id that is the same for the same text, far from the known people's. */
function numberFrom(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  let sum = 7;
  for (const character of text) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 1_000_000_007;
  return 1_000_000 + sum;
}
