import { describe, expect, test } from 'vitest';
import { createProject } from '../../src/billing/projection.ts';
import type { SubscriptionProjection } from '../../src/storage/documents.ts';
import { openDirectory, problemOf } from '../directory/world.ts';

const day = 86_400_000;

async function world() {
  const directory = await openDirectory();
  const { store, clock } = directory;
  await directory.directory.createUser({ id: 'ada', name: 'Ada' });
  await directory.directory.createAccount({ id: 'acc_office', name: 'Office', owner: 'ada' });
  const account = async () => (await store.get('account', 'acc_office'))!;
  const events = async () =>
    (await directory.settle())
      .filter(({ type }) => type === 'subscription.changed')
      .map(({ data }) => data);
  return {
    ...directory,
    project: createProject({ store, clock, config: { products: [] } }),
    account,
    events,
  };
}

const team: SubscriptionProjection = {
  subscription: 'sub_1',
  status: 'active',
  plan: 'team',
  period: 'month',
  quantity: 5,
  periodEnd: Date.UTC(2026, 0, 1) + 14 * day,
};

describe('a subscription is projected', () => {
  test('begins, changes and ends, each with the claims that are different', async () => {
    const { project, account, events } = await world();
    const begun = await project('acc_office', 'api', team);
    const seconds = Math.floor(team.periodEnd! / 1000);
    expect(begun).toEqual({
      access: 'full',
      access_until: seconds + (3 * day) / 1000,
      subscription: 'sub_1',
      subscription_status: 'active',
      plan: 'team',
      period: 'month',
      quantity: 5,
      period_end: seconds,
    });
    expect((await account()).document.subscriptions).toEqual({ api: team });

    const { period: _period, ...rest } = team;
    const changed = await project('acc_office', 'api', { ...rest, plan: 'business', quantity: 40 });
    expect(changed).toEqual({ plan: 'business', quantity: 40, period: null });

    const ended = await project('acc_office', 'api', null);
    expect(Object.values(ended)).toEqual(Array.from({ length: 7 }, () => null));
    expect((await account()).document.subscriptions).toBeUndefined();

    const about = { account: 'acc_office', product: 'api' };
    expect(await events()).toEqual([
      { ...about, claims: begun },
      { ...about, claims: changed },
      { ...about, claims: ended },
    ]);
  });

  test('what changes nothing is not written', async () => {
    const { project, account, events } = await world();
    await project('acc_office', 'api', team);
    const { version } = await account();
    expect(await project('acc_office', 'api', { ...team })).toEqual({});
    expect((await account()).version).toBe(version);
    expect(await events()).toHaveLength(1);
  });

  test('what no token says is kept, and no event', async () => {
    const { project, account, events } = await world();
    await project('acc_office', 'api', team);
    const periodEnd = team.periodEnd! + 1;
    expect(await project('acc_office', 'api', { ...team, periodEnd })).toEqual({});
    expect((await account()).document.subscriptions?.api?.periodEnd).toBe(periodEnd);
    expect(await events()).toHaveLength(1);
  });

  test('each product has its own', async () => {
    const { project, account, events } = await world();
    await project('acc_office', 'api', team);
    await project('acc_office', 'reports', { ...team, subscription: 'sub_2' });
    await project('acc_office', 'api', null);
    expect(Object.keys((await account()).document.subscriptions ?? {})).toEqual(['reports']);
    expect((await events()).map(({ product }) => product)).toEqual(['api', 'reports', 'api']);
  });

  test('two at once: both stand, and each event says what it changed', async () => {
    const { project, account, events } = await world();
    const two = { ...team, subscription: 'sub_2' };
    await Promise.all([project('acc_office', 'api', team), project('acc_office', 'reports', two)]);
    const { subscriptions } = (await account()).document;
    expect(Object.keys(subscriptions ?? {}).toSorted()).toEqual(['api', 'reports']);
    expect(await events()).toHaveLength(2);
  });

  test('of an account that there is not: nothing', async () => {
    const { project } = await world();
    expect(await problemOf(project('acc_none', 'api', team))).toBe('account_unknown');
  });
});
