/** The sample app's pages. Nothing here has to do with signing in. */

import type { Session } from './app_oidc_sessions.ts';
import { markup } from './look.ts';
import type { Markup } from './look.ts';

const form = (action: string, label: string, primary = '') =>
  markup`<form method="post" action="${action}"><button class="${primary}">${label}</button></form>`;

/** Where people pay: links to Tollgate, each of which leads back here. */
export interface BillingLinks {
  signUp: string;
  changePlan: string;
  billing: string;
}

const link = (href: string, label: string) => markup`<a class="button" href="${href}">${label}</a>`;

export function welcomePage(app: string, links?: BillingLinks): Markup {
  return markup`<h1>${app}</h1>
<p>A web app with a server, on OpenID Connect. Nobody is signed in.</p>
<nav>${form('/sign-in', 'Sign in', 'primary')}${links === undefined ? markup`` : link(links.signUp, 'Sign up')}</nav>`;
}

export function homePage({ tokens, answer }: Session, links?: BillingLinks): Markup {
  const { name, email, account, roles } = (tokens?.claims ?? {}) as Record<string, unknown>;
  const { plan, subscription_status: status } = (answer ?? {}) as Record<string, unknown>;
  const row = (term: string, value: unknown) =>
    markup`<dt>${term}</dt><dd>${typeof value === 'string' ? value : '–'}</dd>`;
  return markup`<h1>Hello, ${typeof name === 'string' ? name : 'you'}</h1>
<p>${typeof email === 'string' ? email : ''}</p>
<dl>${[
    row('Account', account),
    row('Role', Array.isArray(roles) ? roles.join(', ') : undefined),
    row('Plan', plan),
    row('Subscription', status),
  ]}</dl>
<nav>${form('/call', 'Call the service', 'primary')}${form('/refresh', 'Refresh the token')}
${form('/switch', 'Switch account')}
${links === undefined ? markup`` : markup`${link(links.changePlan, 'Change to Business')}${link(links.billing, 'Billing')}`}${form('/sign-out', 'Sign out')}</nav>
<h2>What the service read in the access token</h2>
<pre>${JSON.stringify(answer ?? null, undefined, 2)}</pre>`;
}

export function failurePage(text: string): Markup {
  return markup`<h1>That did not work</h1><p>${text}</p><a class="button" href="/">Back</a>`;
}
