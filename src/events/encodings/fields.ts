/**
 * What is told of each event, field by field: the table that webhooks are made from, and `docs/events.md` and
 * `docs/events.schema.json` with them. What is not declared here is not told. Fields are only ever added.
 */

import type { EventData, EventType } from '../types.ts';

export interface Field {
  /** JSON Schema. */
  schema: Readonly<Record<string, unknown>>;
  text: string;
  optional?: true;
}

export interface TypeFields {
  text: string;
  fields: Readonly<Record<string, Field>>;
}

const string = { type: 'string' } as const;
const strings = { type: 'array', items: string } as const;

const field = (text: string, schema: Field['schema'] = string): Field => ({ schema, text });
const maybe = (text: string, schema: Field['schema'] = string): Field => ({
  schema,
  text,
  optional: true,
});

const user = field('Id of the user: `sub` of their tokens');
const account = field('Id of the account: `account` of its tokens');
const owner = field('Id of the user who owns it');
const client = field('Id of the app');
const provider = field('Id of the upstream provider');
const issuer = field('Its issuer');
const roles = field('The roles, as in tokens from now on', strings);
const kid = field('Its `kid`');
const alg = field('Its algorithm');
const actor = maybe('Id of the user who did it; absent: an operator, or nobody');
const invitation = field('Id of the invitation');
const domain = field('The domain of e-mail addresses');
const feedback = maybe('Why, in Stripe’s words, such as `too_expensive`');
const reason = maybe('Why, in the words of whoever closed it');
const moment = (text: string) => field(text, { type: 'integer' });
const session = field('Id of the session here');
const sid = 'The session at this app, as in its tokens';

const clients = {
  type: 'array',
  items: {
    type: 'object',
    properties: { client: string, sid: string },
    required: ['client', 'sid'],
    additionalProperties: false,
  },
} as const;

const claims = {
  type: 'object',
  additionalProperties: { anyOf: [string, { type: 'number' }, strings, { type: 'null' }] },
} as const;

const words = (...values: string[]) => ({ type: 'string', enum: values });

const sessionReason = field(
  'Why. A session that ran out (`expired`) leaves the apps’ tokens alone; after the others they are dead',
  words('signed_out', 'expired', 'replaced', 'user_disabled', 'key_compromise', 'operator'),
);
const grantReason = field(
  'Why',
  words(
    'refresh_token_reuse',
    'code_reuse',
    'revocation_endpoint',
    'session_ended',
    'signed_out',
    'member_removed',
    'account_closed',
    'user_disabled',
    'key_compromise',
    'operator',
  ),
);

type Declared<Type extends EventType> = {
  text: string;
  /** `false`: known to us, and told to nobody. */
  fields: { [Key in keyof EventData[Type]]-?: Field | false };
};

/** `false`: told to nobody, such as a step on the way to another event. */
const declared: { [Type in EventType]: Declared<Type> | false } = {
  'user.registered': {
    text: 'Somebody is here for the first time',
    fields: {
      user,
      account: maybe('Id of the personal account that is made for them'),
      name: false,
    },
  },
  'user.signed_in': {
    text: 'Somebody signed in',
    fields: { user, provider, session: maybe('Id of the session here') },
  },
  'user.disabled': { text: 'A user may not sign in any more', fields: { user } },
  'user.enabled': { text: 'A user may sign in again', fields: { user } },
  'user.deleted': { text: 'A user is gone for good', fields: { user } },
  'user.revoked': {
    text: 'All sessions and tokens of a user from before are ended, at every browser',
    fields: { user, reason: field('Why', words('operator', 'signed_out')) },
  },
  'user.changed': { text: 'A user goes by another name, picture or language', fields: { user } },
  'user.deletion_asked': {
    text: 'A user wants to be deleted, and will be unless they take it back',
    fields: { user, at: moment('When they will be deleted, in milliseconds since the epoch') },
  },
  'user.deletion_withdrawn': { text: 'A user stays after all', fields: { user } },
  'identity.linked': {
    text: 'A user may sign in by another provider as well',
    fields: { user, provider, issuer },
  },
  'identity.unlinked': {
    text: 'A user may not sign in by this provider any more',
    fields: { user, provider, issuer },
  },
  'account.created': {
    text: 'There is a new account',
    fields: { account, name: field('Its name'), owner },
  },
  'account.closed': {
    text: 'An account is closed, for all of its members',
    fields: { account, feedback, reason, actor },
  },
  'account.renamed': {
    text: 'An account has another name',
    fields: { account, name: field('Its name'), actor },
  },
  'account.closing': {
    text: 'An account will be closed, unless that is taken back',
    fields: {
      account,
      at: moment('When it will be closed, in milliseconds since the epoch'),
      feedback,
      reason,
      actor,
    },
  },
  'account.closing_withdrawn': {
    text: 'An account stays open after all',
    fields: { account, actor },
  },
  'account.reopened': { text: 'A closed account is open again', fields: { account } },
  'account.domain_proven': {
    text: 'An account has shown that an e-mail domain is its own',
    fields: { account, domain, actor },
  },
  'account.domain_removed': {
    text: 'An e-mail domain is not an account’s any more',
    fields: { account, domain, actor },
  },
  'account.revoked': {
    text: 'All tokens for an account from before are ended',
    fields: { account, reason: field('Why', words('operator')) },
  },
  'member.added': { text: 'A user belongs to an account', fields: { user, account, roles, actor } },
  'member.changed': {
    text: 'A member has other roles in an account',
    fields: { user, account, roles, actor },
  },
  'member.removed': {
    text: 'A user does not belong to an account any more',
    fields: { user, account, actor },
  },
  'invitation.created': {
    text: 'Somebody is invited to an account',
    fields: { invitation, account, roles, actor },
  },
  'invitation.resent': false,
  'invitation.waiting': {
    text: 'Somebody wants to join an account, and has to be confirmed',
    fields: { invitation, account, user },
  },
  'invitation.accepted': {
    text: 'An invitation was accepted. `member.added` says the rest',
    fields: { invitation, account, user, actor },
  },
  'invitation.declined': {
    text: 'Somebody who wanted to join was not let in, or did not want to',
    fields: { invitation, account, user, actor },
  },
  'invitation.withdrawn': {
    text: 'An invitation is of no use any more',
    fields: { invitation, account, actor },
  },
  'owner.removed': false,
  'session.ended': {
    text: 'A session of a browser here is over',
    fields: {
      session,
      user: maybe('Id of the user'),
      reason: sessionReason,
      clients: maybe('The apps that it was signed in to, with their `sid`', clients),
    },
  },
  'grant.revoked': {
    text: 'What an app got for a user and an account is dead: codes, refresh tokens, opaque tokens',
    fields: {
      grant: field('Its id'),
      session: field('Id of the session here that it came from'),
      user,
      client,
      account: maybe('Id of the account'),
      sid: maybe(sid),
      reason: grantReason,
    },
  },
  'subscription.changed': {
    text: 'What an account’s subscription allows is different from now on',
    fields: {
      account,
      product: field('Id of the product'),
      claims: field('The claims of access tokens that are different; null: gone', claims),
    },
  },
  'tokens.revoked_before': {
    text: 'Every session and every token from before a moment is ended. `session.ended` and `grant.revoked` follow',
    fields: {
      before: field('The moment, in milliseconds since the epoch', { type: 'integer' }),
      client: maybe('Id of the app, where it is about the tokens of one alone'),
      reason: field('Why', words('key_compromise', 'operator')),
    },
  },
  'cutoff.continued': false,
  // About a stream, and of no concern to anybody but its owner.
  'stream.created': false,
  'stream.changed': false,
  'stream.removed': false,
  'stream.verification': false,
  'stream.updated': false,
  'consent.given': {
    text: 'A user allowed somebody else’s app',
    fields: { user, client, account: maybe('Id of the account'), scopes: field('What', strings) },
  },
  'consent.withdrawn': {
    text: 'A user does not allow somebody else’s app any more',
    fields: { user, client, account: maybe('Id of the account') },
  },
  'key.created': { text: 'There is a new signing key', fields: { kid, alg } },
  'key.removed': { text: 'A signing key is over and deleted', fields: { kid, alg } },
};

const ping: TypeFields = {
  text: 'Nothing happened: a test, or a sign of life',
  fields: { receiver: field('Id of the receiver that it was sent to') },
};

/** By type, what webhooks say. */
export const toldFields: ReadonlyMap<string, TypeFields> = new Map([
  ...Object.entries(declared).flatMap(([type, one]): [string, TypeFields][] => {
    if (one === false) return [];
    const fields = Object.entries<Field | false>(one.fields);
    const told = fields.filter((entry): entry is [string, Field] => entry[1] !== false);
    return [[type, { text: one.text, fields: Object.fromEntries(told) }]];
  }),
  ['ping', ping],
]);
