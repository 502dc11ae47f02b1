/**
 * Who may use what: every route that is not a page of the account room, whose declarations say it themselves, and every
 * command. `docs/access.md` is made from it.
 */

/**
 * `anybody`: nothing of anybody's is behind it, or what is behind it is opened by what the request brings along;
 * `person`: somebody who is signed in; `member`: who belongs to the account; `payer`: who may pay for it;
 * `sealed`: a form of ours that was made for this person and this browser, and nothing that anybody could put together;
 * `client`: an app or service with credentials of its own; `stripe`: a signature of Stripe's.
 */
export type Needs = 'anybody' | 'person' | 'member' | 'payer' | 'sealed' | 'client' | 'stripe';

export interface Row {
  needs: Needs;
  /** What opens it, and what it can do at most. */
  why: string;
}

const anybody = (why: string): Row => ({ needs: 'anybody', why });
const client = (why: string): Row => ({ needs: 'client', why });
const refused = anybody('refuses other methods, with 405');
const stream = client(
  'a token of the service with the scope `ssf.manage` or `ssf.read`; its own streams only',
);

export const table: Readonly<Record<string, Row>> = {
  'GET /': anybody('leads to the app'),
  'GET /health/live': anybody('says no more than that the process lives'),
  'GET /health/ready': anybody('says no more than whether the store answers'),
  'GET /assets/style.css': anybody('a stylesheet'),
  'GET /assets/account.css': anybody('a stylesheet'),
  'GET /assets/brand.css': anybody('a stylesheet'),

  'GET /signin': anybody('begins a sign-in'),
  'GET /signin/:provider': anybody('begins a sign-in'),
  'GET /signin/return': anybody('ends the one that this browser began: its sealed cookie'),
  'GET /signup': anybody('begins a sign-up'),
  'GET /signup/:provider': anybody('begins a sign-up'),
  'POST /signup': anybody('confirms a sign-up, for who is signed in'),
  'GET /signup/return': anybody('goes on with the one that this browser began: its sealed cookie'),
  'GET /signout': anybody('ends the session of this browser; a link of another site asks first'),
  'POST /signout': anybody('ends the session of this browser'),
  'POST /refresh': anybody(
    'a token for who this browser’s cookie is of; pages of configured origins only',
  ),
  'OPTIONS /refresh': anybody('the preflight of it'),
  'ANY /refresh': refused,
  'GET /session/events': anybody('tells of the session of this browser; configured origins only'),
  'OPTIONS /session/events': anybody('the preflight of it'),
  'ANY /session/events': refused,

  'GET /interaction/:uid': anybody('a sign-in conversation, for the browser that began it'),
  'POST /interaction/:uid': anybody('the same'),
  'GET /integrations/oauth2/callback': anybody(
    'ends the sign-in at a provider that this browser began',
  ),
  'POST /integrations/oauth2/callback': anybody('leads there by GET, for the cookies'),

  'GET /account/billing': {
    needs: 'member',
    why: 'how the account stands; ways to pay only for payers',
  },
  'GET /account/portal': { needs: 'payer', why: 'to Stripe’s portal' },
  'GET /integrations/stripe/portal/return': anybody(
    'leads back; compares one account with Stripe, named by a seal',
  ),
  'GET /account/switch/:product': { needs: 'payer', why: 'another plan' },
  'POST /account/switch/:product': { needs: 'sealed', why: 'another plan, for payers' },
  'GET /integrations/stripe/checkout/success': anybody('a payment that is named, for who made it'),
  'GET /integrations/stripe/checkout/canceled': anybody('the same'),

  'GET /account/select': anybody(
    'a sign-in for another of one’s accounts; of another site it asks',
  ),
  'GET /invitation/:token': anybody('keeps a true invitation at this browser'),
  'GET /invitation': anybody('shows the invitation that this browser holds'),
  'POST /invitation': {
    needs: 'person',
    why: 'takes up the invitation that this browser holds, or says no to it; who is not signed in does so first',
  },
  'GET /invitation/return': anybody('ends the sign-in that this browser began for it'),
  'POST /domain': {
    needs: 'person',
    why: 'joins, or asks to, by a verified address of a proven domain',
  },
  'POST /integrations/stripe/events': {
    needs: 'stripe',
    why: 'that something has changed at Stripe',
  },
  'ANY /integrations/stripe/events': refused,

  'GET /.well-known/ssf-configuration': anybody('where streams of security events are'),
  'POST /ssf/streams': stream,
  'GET /ssf/streams': stream,
  'PATCH /ssf/streams': stream,
  'PUT /ssf/streams': stream,
  'DELETE /ssf/streams': stream,
  'GET /ssf/status': stream,
  'POST /ssf/status': stream,
  'POST /ssf/verify': stream,
  'POST /ssf/subjects/add': stream,
  'POST /ssf/subjects/remove': stream,
  'POST /ssf/poll/:id': stream,
  'GET /ssf/recent': stream,
};

export const isListed = (name: string) =>
  Object.hasOwn(table, name) || /^ANY \/(ssf|\.well-known)\//.test(name);

/** Every command, by its first word. */
export const commands: Readonly<Record<string, string>> = {
  serve: 'answers requests',
  check: 'reads the configuration',
  keys: 'lists and rotates signing keys',
  revoke: 'ends access',
  receivers: 'lists and changes who is told of events',
  events: 'lists events, and sends them again',
  stripe: 'compares with Stripe, and makes what is missing there',
  mail: 'lists e-mails, and tries them again',
  users: 'lists, changes and deletes people',
  accounts: 'lists, changes, closes and reopens accounts',
  members: 'lists, adds and removes members',
  invitations: 'lists, makes and ends invitations',
  sessions: 'lists and ends sessions',
  import: 'writes people and accounts',
  export: 'reads all people and accounts',
  version: 'says the version',
  help: 'says what there is',
};
