import { describe, expect, test } from 'vitest';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { account, grant } from '../conformance/samples.ts';
import { record } from './recording.ts';

const clock = () => 1_900_000_000_000;

async function statementsInUse() {
  const recording = record();
  const store = createSqliteStore(recording.database, { clock });
  await store.write('account', 'a1', account({ customer: 'cus_1' }), { expect: 'absent' });
  await store.write('grant', 'g1', grant(), { expect: 'absent' });
  for (const prefix of [true, false]) {
    for (const descending of [true, false]) {
      await store.find('audit', 'user', 'u', { prefix, descending });
      await store.find('audit', 'user', 'u', { prefix, descending, after: 'g' });
    }
  }
  const plans = [...recording.prepared]
    .filter((sql) => /^\s*(SELECT|INSERT|DELETE)/.test(sql))
    .map((sql) => ({
      sql,
      steps: recording.database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail)),
    }));
  await store.close();
  return plans;
}

describe('query plans', () => {
  test('nothing reads a whole table, or all entries of a kind', async () => {
    const plans = await statementsInUse();
    expect(plans.length).toBeGreaterThan(15);
    const steps = plans.flatMap((plan) => plan.steps.map((step) => `${step} <- ${plan.sql}`));
    const scans = steps.filter((step) => /^SCAN (documents|entries|counters)/.test(step));
    expect(scans).toEqual([]);
    const loose = steps.filter(
      (step) =>
        /^SEARCH (documents|entries)/.test(step) && /\(kind=\?( AND id[<>]\?)?\)/.test(step),
    );
    // All documents of a kind are what `list` is for; it goes along the primary key, and sorts nothing.
    const isList = (step: string) => step.includes('id > ? AND body IS NOT NULL ORDER BY id LIMIT');
    expect(loose.filter((step) => !isList(step))).toEqual([]);
    expect(loose.filter(isList)).toEqual([expect.stringMatching(/PRIMARY KEY|autoindex/)]);
    const sorting = steps.filter((step) => step.startsWith('USE TEMP B-TREE'));
    expect(sorting.filter(isList)).toEqual([]);
  });
});
