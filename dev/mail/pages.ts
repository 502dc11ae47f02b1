/** The sink's pages: what came, the newest first, and one e-mail as its reader sees it; and the same for programs. */

import { Markup, markup, style } from '../look.ts';
import { send, sendJson } from '../upstream/server.ts';
import type { Exchange, Handler } from '../upstream/server.ts';
import type { CaughtMail } from './caught.ts';

export function mailPages({ mails }: { mails: readonly CaughtMail[] }): Handler {
  return (exchange) => {
    const { request, response, url } = exchange;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      send(response, 405, 'text/plain', 'There are only pages to look at.\n');
      return;
    }
    const path = url.pathname;
    if (path === '/') return page(exchange, 200, 'E-mails', list(mails));
    if (path === '/messages.json') return sendJson(response, 200, mails.map(brief).toReversed());
    const [, id, json] = /^\/messages\/(\d{1,9})(\.json)?$/.exec(path) ?? [];
    const mail = mails.find((one) => one.id === id);
    if (mail === undefined) return page(exchange, 404, 'Not found', nothing);
    if (json !== undefined) return sendJson(response, 200, mail);
    page(exchange, 200, mail.subject, one(mail));
  };
}

function brief({ id, at, envelope, subject, links }: CaughtMail): Record<string, unknown> {
  return { id, at: new Date(at).toISOString(), to: envelope.to, subject, links };
}

const nothing = markup`<h1>There is nothing here</h1>
<p>The last 200 e-mails since the start are kept, and no more.</p>
<nav><a class="button" href="/">All e-mails</a></nav>`;

function list(mails: readonly CaughtMail[]): Markup {
  if (mails.length === 0) {
    return markup`<h1>E-mails</h1>
<p>Nothing has been sent yet. Invite somebody into an account, and look again.</p>
${lookAgain}`;
  }
  const rows = mails.toReversed().map(
    ({ id, at, envelope, subject }) => markup`<li><a href="/messages/${id}">
<strong>${subject === '' ? '(no subject)' : subject}</strong>
<span>to ${envelope.to.join(', ')}</span>${time(at)}</a></li>`,
  );
  return markup`<h1>E-mails</h1>
<p>What was sent, the newest first. Programs read <a href="/messages.json">/messages.json</a>.</p>
${lookAgain}
<ul class="mails">${rows}</ul>`;
}

const lookAgain = markup`<nav aria-label="Mails"><a class="button" href="/">Look again</a></nav>`;

function one(mail: CaughtMail): Markup {
  const { id, at, from, to, subject, messageId, text, html, headers } = mail;
  const rows = headers.map(
    ({ name, value }) => markup`<tr><th scope="row">${name}</th><td>${value}</td></tr>`,
  );
  return markup`<nav aria-label="Mails"><a class="button" href="/">All e-mails</a>
<a class="button" href="/messages/${id}.json">As JSON</a></nav>
<h1>${subject === '' ? '(no subject)' : subject}</h1>
<dl><dt>From</dt><dd>${from}</dd><dt>To</dt><dd>${to}</dd><dt>When</dt><dd>${time(at)}</dd>
<dt>Message-ID</dt><dd><code>${messageId}</code></dd></dl>
<h2>As most see it</h2>
${html === '' ? markup`<p>It has no HTML.</p>` : frame(html)}
<h2>As text</h2>
<pre tabindex="0">${text}</pre>
<h2>Headers</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Headers"><table>${rows}</table></div>`;
}

/** Nothing of it runs, and links open elsewhere. */
function frame(html: string): Markup {
  const source = `<base target="_blank">${html}`;
  return markup`<iframe title="The e-mail" sandbox="allow-popups allow-popups-to-escape-sandbox" srcdoc="${source}"></iframe>`;
}

const moments = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'medium',
  timeZone: 'UTC',
});

const time = (at: number): Markup =>
  markup`<time datetime="${new Date(at).toISOString()}">${moments.format(at)} UTC</time>`;

const more = `
.banner { display: block; padding: .5rem 1rem; text-align: center; font-size: .875rem; font-weight: 600;
  color: #422006; background: #fde68a; }
@media (prefers-color-scheme: dark) { .banner { color: #fdf2c8; background: #4a3a08; } }
main { margin-top: 4vh; max-width: 48rem; }
h1 { margin-top: 1rem; overflow-wrap: anywhere; }
h1 + dl { margin-top: .75rem; }
ul.mails { list-style: none; margin: 1.5rem 0 0; padding: 0; border-top: 1px solid var(--line); }
.mails a { display: grid; gap: .125rem; padding: .75rem .25rem; border-bottom: 1px solid var(--line);
  color: inherit; text-decoration: none; overflow-wrap: anywhere; }
.mails a:hover strong { text-decoration: underline; }
.mails span, .mails time { font-size: .875rem; color: var(--quiet); }
p a { color: var(--accent); }
iframe { width: 100%; height: 40rem; border: 1px solid var(--line); border-radius: 8px; background: #fff; }
@media (prefers-color-scheme: dark) { iframe { background: #14151a; } }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
code { font-size: .8125rem; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .8125rem; }
th, td { text-align: start; vertical-align: top; padding: .25rem 1rem .25rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--quiet); font-weight: 400; white-space: nowrap; }
td { overflow-wrap: anywhere; }
@media (max-width: 30rem) { main { padding: 1.25rem; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
`;

function page({ response }: Exchange, status: number, title: string, body: Markup): void {
  const text = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – mail sink</title>
<link rel="icon" href="data:,">
<style>${new Markup(style + more)}</style>
</head>
<body><header class="banner">Mail sink, for development: nothing leaves this machine</header>
<main>${body}</main></body>
</html>
`;
  // Of what is in a mail nothing is fetched and nothing runs, whatever a reader would do with it.
  response.setHeader(
    'content-security-policy',
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; base-uri 'self'; frame-ancestors 'none'",
  );
  send(response, status, 'text/html', text.text);
}
