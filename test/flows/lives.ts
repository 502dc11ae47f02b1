/** Lives of people who are signed in at two browsers, with two apps and two accounts: for stories of how that ends. */

import type { Browser } from '../../dev/walk.ts';
import { randomToken } from '../../src/base/ids.ts';
import { createSecrets } from '../../src/base/secrets.ts';
import { createTokens } from '../../src/oidc/tokens.ts';
import type { GrantDocument } from '../../src/storage/documents.ts';
import type { Kind } from '../../src/storage/kinds.ts';
import type { MortalWorld } from '../kit/mortal_world.ts';
import { testSecret } from '../kit/server.ts';
import { redeem, signIn, signInForCode } from '../kit/world.ts';
import type { Redemption, SignIn } from '../kit/world.ts';

/** What somebody has: tokens of `app` for their first account, of `other` for the second, and `spa` on the phone. */
export const holdings = ['app', 'other', 'phone'] as const;
export type Holding = (typeof holdings)[number];

export interface Life {
  user: string;
  one: string;
  two: string;
  someone: NonNullable<SignIn['someone']>;
  browser: Browser;
  /** The code that `app` got its tokens for. */
  redemption: Redemption;
  tokens: Record<Holding, Record<string, string>>;
  begunAt: number;
}

export const clientOf = (holding: Holding) => (holding === 'phone' ? 'spa' : holding);

let lives = 0;

export async function live(world: MortalWorld): Promise<Life> {
  const { issuer } = world;
  const { directory } = world.server();
  lives += 1;
  const [user, one, two] = [`usr_life_${lives}`, `acc_life_${lives}_one`, `acc_life_${lives}_two`];
  const subject = `life-${lives}`;
  const someone = { subject, name: 'Some Body', email: `${subject}@example.com` };
  await directory.createUser({
    id: user,
    name: someone.name,
    identities: [
      { provider: 'upstream', issuer: world.upstream, subject },
      { provider: 'another', issuer: 'https://another.example', subject },
    ],
  });
  const owner = `usr_owner_${lives}`;
  await directory.createUser({ id: owner });
  for (const account of [one, two]) {
    await directory.createAccount({ id: account, name: account, owner });
    await directory.addMember(account, user, ['member']);
  }
  const [browser, phone] = [world.browser(), world.browser()];
  const redemption = await signInForCode(issuer, browser, { someone, account: one });
  const tokens = {
    app: (await redeem(issuer, redemption)).body,
    other: await signIn(issuer, browser, { someone, client: 'other', account: two }),
    phone: await signIn(issuer, phone, { someone, client: 'spa', account: one }),
  };
  await world.server().dispatcher.drain();
  return { user, one, two, someone, browser, redemption, tokens, begunAt: Date.now() };
}

/** The documents of a life, taken while they are whole. */
export interface Template {
  life: Life;
  documents: { kind: Kind; id: string; document: object }[];
}

export async function templateOf(life: Life, { store }: MortalWorld): Promise<Template> {
  const found = [
    { kind: 'user', ...(await store.get('user', life.user)) },
    { kind: 'account', ...(await store.get('account', life.one)) },
    { kind: 'account', ...(await store.get('account', life.two)) },
    ...(await store.find('session', 'user', life.user)).map((one) => ({ kind: 'session', ...one })),
    ...(await store.find('grant', 'user', life.user)).map((one) => ({ kind: 'grant', ...one })),
  ];
  return { life, documents: structuredClone(found) as Template['documents'] };
}

/** The same documents with other ids, begun now. There is no browser that knows of it. */
export async function copyOf(
  template: Template,
  { store }: MortalWorld,
  begunAt = Date.now(),
): Promise<Life> {
  const { life, documents } = template;
  lives += 1;
  const user = `usr_life_${lives}`;
  const [one, two] = [`acc_life_${lives}_one`, `acc_life_${lives}_two`];
  const subject = `life-${lives}`;
  const names = new Map([
    [life.user, user],
    [life.one, one],
    [life.two, two],
    [life.someone.subject, subject],
  ]);
  for (const { kind, id, document } of documents) {
    if (!names.has(id)) names.set(id, randomToken());
    if (kind === 'grant') names.set((document as GrantDocument).sid ?? '', randomToken());
  }
  const tokens = { app: {}, other: {}, phone: {} } as Life['tokens'];
  for (const { kind, id, document } of documents) {
    const copy = renamed(document, names, Math.floor(begunAt / 1000));
    await store.write(kind, names.get(id) ?? '', copy as never, { expect: 'absent' });
    if (kind !== 'grant') continue;
    const { client, families = {}, salt } = copy as GrantDocument;
    const [family = ''] = Object.keys(families);
    const holding = holdings.find((name) => clientOf(name) === client);
    if (holding === undefined) throw new Error('a grant of a foreign client');
    const token = refreshTokens.refreshToken(names.get(id) ?? '', family, 1, salt);
    tokens[holding] = { refresh_token: token };
  }
  const someone = { ...life.someone, subject };
  return { ...life, user, one, two, someone, tokens, begunAt };
}

const refreshTokens = createTokens(createSecrets([testSecret]));

/** Every string that has another name now, as a value or as a key; and what was begun, was begun now. */
function renamed(value: unknown, names: ReadonlyMap<string, string>, now: number): unknown {
  if (typeof value === 'string') return names.get(value) ?? value;
  if (Array.isArray(value)) return value.map((one) => renamed(one, names, now));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      names.get(key) ?? key,
      key === 'iat' || key === 'loginTs' ? now : renamed(one, names, now),
    ]),
  );
}
