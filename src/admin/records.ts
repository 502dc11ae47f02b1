/**
 * One line of a file that `tollgate import` takes and `tollgate export` makes: a user or an account. What it may hold,
 * field by field; the names and limits are those that hold for everybody (src/directory/names.ts).
 */

import { mostMemberships } from '../directory/accounts.ts';
import { requireReason } from '../directory/closing_reason.ts';
import {
  isUpstreamName,
  requireId,
  usableEmail,
  usableLocale,
  usableName,
  usablePicture,
} from '../directory/names.ts';
import { requireRoles } from '../directory/roles.ts';
import type { AccountDocument, UserDocument } from '../storage/documents.ts';
import {
  aTime,
  FieldReader,
  isObject,
  listOf,
  oneOf,
  present,
  readBoolean,
  readTime,
} from './record_fields.ts';
import type { Complaint } from './record_fields.ts';

export interface UserRecord {
  type: 'user';
  id: string;
  /** What the line says, and nothing else. */
  fields: Partial<UserDocument>;
}

export interface AccountRecord {
  type: 'account';
  id: string;
  fields: Partial<AccountDocument> & Pick<AccountDocument, 'name' | 'owners'>;
}

export type ImportRecord = UserRecord | AccountRecord;

/** What the reading depends on. */
export interface RecordContext {
  /** When something is of now because the line does not say when. */
  now: number;
  /** The issuer of a provider of the configuration; of others the line has to say it. */
  issuerOf(provider: string): string | undefined;
}

const anId = '1 to 255 ASCII characters without spaces';
const someText = 'text of at most 255 characters, without control characters';
const mostOwners = 100;

/** @returns what is wrong instead, where something is */
export function readRecord(
  line: string,
  context: RecordContext,
): { record: ImportRecord } | { complaints: Complaint[] } {
  const complaints: Complaint[] = [];
  const value = parsed(line);
  if (!isObject(value)) {
    return { complaints: [{ field: '', problem: 'The line is no JSON object.' }] };
  }
  const fields = new FieldReader(value, '', complaints);
  const type = fields.required('type', oneOf(['user', 'account']), '"user" or "account"');
  if (type === undefined) return { complaints };
  const record = type === 'user' ? readUser(fields, context) : readAccount(fields, context);
  fields.finish();
  return complaints.length > 0 || record === undefined ? { complaints } : { record };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function readUser(fields: FieldReader, context: RecordContext): UserRecord | undefined {
  const id = fields.required('id', readId, anId);
  const status = fields.optional('status', oneOf(['active', 'disabled']), '"active" or "disabled"');
  const name = fields.optional('name', usableName, 'a name of 1 to 120 printable characters');
  const email = fields.optional('email', usableEmail, 'one e-mail address');
  const emailVerified = fields.optional('emailVerified', readBoolean, 'true or false');
  if (emailVerified === true && email === undefined) {
    fields.complain('emailVerified', 'There is no e-mail address that could be verified.');
  }
  const picture = fields.optional('picture', usablePicture, 'an https address');
  const locale = fields.optional('locale', usableLocale, 'a language such as de or pt-BR');
  const own = fields.optional(
    'own',
    listOf(oneOf(['name', 'locale']), 1, 2),
    'a list of "name" and "locale"',
  ) as UserDocument['own'];
  const said = fields.object('said', (one) =>
    present({
      name: one.optional('name', usableName, 'a name of 1 to 120 printable characters'),
      locale: one.optional('locale', usableLocale, 'a language such as de or pt-BR'),
    }),
  );
  const createdAt = fields.optional('createdAt', readTime, aTime);
  const since = createdAt ?? context.now;
  const identities = fields.list('identities', 20, (one) => readIdentity(one, context, since));
  const memberships = fields.list('memberships', mostMemberships, (one) =>
    readMembership(one, since),
  );
  const tried = fields.optional('tried', listOf(readText, 1, 100), 'a list of products');
  const sentAway = fields.optional(
    'sentAway',
    listOf(readText, 1, mostMemberships),
    'a list of account ids',
  );
  const chosen = fields.optional('chosen', readChosen, 'an account id by client id');
  const deletion = fields.object('deletion', (one) => ({
    askedAt: one.required('askedAt', readTime, aTime) ?? 0,
    dueAt: one.required('dueAt', readTime, aTime) ?? 0,
  }));
  const signedInAt = fields.optional('signedInAt', readTime, aTime);
  if (id === undefined) return undefined;
  const known = present({
    status,
    name,
    email,
    emailVerified: emailVerified === true ? true : undefined,
    picture,
    locale,
    identities,
    memberships: memberships?.length === 0 ? undefined : memberships,
    sentAway,
    tried,
    own,
    said,
    chosen,
    deletion,
    signedInAt,
    createdAt,
  });
  return { type: 'user', id, fields: known };
}

function readIdentity(fields: FieldReader, { issuerOf }: RecordContext, since: number) {
  const provider = fields.required('provider', readUpstream(64), "the provider's id");
  const issuer =
    fields.optional('issuer', readUpstream(2048), 'text of at most 2048 characters') ??
    issuerOf(provider ?? '');
  const subject = fields.required('subject', readUpstream(255), someText);
  if (provider !== undefined && issuer === undefined) {
    fields.complain(
      'provider',
      'The configuration has no such provider: say the issuer as well, or correct it.',
    );
  }
  const email = fields.optional('email', usableEmail, 'one e-mail address');
  const emailVerified = fields.optional('emailVerified', readBoolean, 'true or false');
  const usedAt = fields.optional('usedAt', readTime, aTime);
  const linkedAt = fields.optional('linkedAt', readTime, aTime) ?? since;
  return {
    provider: provider ?? '',
    issuer: issuer ?? '',
    subject: subject ?? '',
    ...(email === undefined ? {} : { email }),
    ...(email !== undefined && emailVerified === true ? { emailVerified: true as const } : {}),
    linkedAt,
    ...(usedAt === undefined ? {} : { usedAt }),
  };
}

function readMembership(fields: FieldReader, since: number) {
  const account = fields.required('account', readId, `an account's id`) ?? '';
  const roles = fields.required('roles', readRoles, '1 to 20 different roles') ?? [];
  const from = fields.optional('since', readTime, aTime) ?? since;
  const usedAt = fields.optional('usedAt', readTime, aTime);
  return { account, roles, since: from, ...(usedAt === undefined ? {} : { usedAt }) };
}

function readAccount(fields: FieldReader, { now }: RecordContext): AccountRecord | undefined {
  const id = fields.required('id', readId, anId);
  const name = fields.required('name', usableName, 'a name of 1 to 120 printable characters');
  const status = fields.optional('status', oneOf(['active', 'closed']), '"active" or "closed"');
  const isClosed = status === 'closed';
  const owners = fields.required(
    'owners',
    listOf(readId, isClosed ? 0 : 1, mostOwners),
    `a list of ${isClosed ? 'at most' : '1 to'} ${mostOwners} different user ids`,
  );
  const customer = fields.optional('customer', readCustomer, "a Stripe customer's id (cus_…)");
  const createdAt = fields.optional('createdAt', readTime, aTime);
  const domains = fields.list('domains', 100, (one) => readDomain(one, createdAt ?? now));
  const closing = fields.object('closing', (one) => ({
    ...readReason(one),
    askedAt: one.required('askedAt', readTime, aTime) ?? 0,
    endsAt: one.required('endsAt', readTime, aTime) ?? 0,
  }));
  const closed = fields.object('closed', (one) => ({
    ...readReason(one),
    at: one.required('at', readTime, aTime) ?? 0,
  }));
  if (closed !== undefined && !isClosed) {
    fields.complain('closed', 'The account is not closed: its status has to be "closed".');
  }
  if (closing !== undefined && isClosed) {
    fields.complain('closing', 'The account is closed: there is no end of it to wait for.');
  }
  const usedAt = fields.optional('usedAt', readTime, aTime);
  if (id === undefined || name === undefined || owners === undefined) return undefined;
  const optional = present({ status, customer, closing, closed, usedAt, createdAt });
  return {
    type: 'account',
    id,
    fields: { ...optional, name, owners, ...(domains?.length ? { domains } : {}) },
  };
}

function readReason(fields: FieldReader) {
  const by = fields.optional('by', readId, `a user's id`);
  const feedback = fields.optional('feedback', readFeedback, "one of Stripe's words");
  const reason = fields.optional(
    'reason',
    readReasonText,
    'text of at most 1000 printable characters',
  );
  return present({ by, feedback, reason });
}

function readDomain(fields: FieldReader, since: number) {
  const domain = fields.required('domain', readDomainName, 'a domain in ASCII, lower case') ?? '';
  const token = fields.required('token', readText, someText) ?? '';
  const provenAt = fields.optional('provenAt', readTime, aTime);
  const mode = fields.required('mode', oneOf(['ask', 'join']), '"ask" or "join"') ?? 'ask';
  const roles = fields.required('roles', readRoles, '1 to 20 different roles') ?? [];
  const addedAt = fields.optional('addedAt', readTime, aTime) ?? since;
  return { domain, token, ...(provenAt === undefined ? {} : { provenAt }), mode, roles, addedAt };
}

function readId(value: unknown): string | undefined {
  return orNothing(() => requireId(value));
}

function readRoles(value: unknown): string[] | undefined {
  const roles = orNothing(() => requireRoles(value));
  // Twice the same is no mistake that anybody means.
  return Array.isArray(value) && roles?.length === value.length ? roles : undefined;
}

function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const readText = (value: unknown) => (isUpstreamName(value, 255) ? value : undefined);

const readUpstream = (longest: number) => (value: unknown) =>
  isUpstreamName(value, longest) ? value : undefined;

const matching = (pattern: RegExp) => (value: unknown) =>
  typeof value === 'string' && pattern.test(value) ? value : undefined;

const readCustomer = matching(/^cus_[A-Za-z0-9_]{1,250}$/);
const readFeedback = matching(/^[a-z_]{1,40}$/);
const readDomainName = matching(/^(?=.{1,253}$)([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}$/);
/** As a page would keep it: what that would leave out of it is refused here. */
function readReasonText(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const reason = orNothing(() => requireReason({ reason: value }).reason);
  return reason === value ? reason : undefined;
}

function readChosen(value: unknown): Record<string, string> | undefined {
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value);
  const good = entries.every(
    ([client, account]) => readText(client) !== undefined && readId(account) !== undefined,
  );
  if (!good || entries.length === 0 || entries.length > 200) return undefined;
  return Object.fromEntries(entries) as Record<string, string>;
}
