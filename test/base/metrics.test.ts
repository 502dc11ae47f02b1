/** The table of what is measured, what Prometheus gets of it, and that the docs say the same. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { measures } from '../../src/base/measures.ts';
import { createMetrics } from '../../src/base/metrics.ts';
import { routeOf } from '../../src/web/measured.ts';
import { paths } from '../robustness/nasty.ts';

const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const lineOf = async (beginning: string, metrics = createMetrics()) =>
  (await metrics.text()).split('\n').find((line) => line.startsWith(beginning));

test('docs/operations.md has the same table', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `tollgate_'));
  const table = Object.entries(measures).map(([name, { type, labels, help }]) => {
    const named = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${named} | ${help} |`.replaceAll(/ +/g, ' ');
  });
  expect(rows.map((row) => row.replaceAll(/ +/g, ' '))).toEqual(table);
});

test('what docs/operations.md asks for is there', () => {
  const named = new Set(page.match(/tollgate_\w+/g));
  const written = Object.entries(measures).flatMap(([name, { type }]) =>
    type === 'histogram' ? [name, `${name}_count`, `${name}_bucket`] : [name],
  );
  expect([...named].filter((name) => !written.includes(name))).toEqual([]);
  const labels = [...page.matchAll(/(tollgate_\w+?)(?:_bucket|_count)?\{(\w+)/g)];
  expect(labels.length).toBeGreaterThan(2);
  for (const [, name = '', label] of labels) {
    expect(measures[name as keyof typeof measures].labels).toContain(label);
  }
});

test('names are as Prometheus wants them', () => {
  for (const [name, { type, help }] of Object.entries(measures)) {
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
    expect(help).toMatch(/^[A-Z].*\.|`\.$/);
  }
});

test('counts, sets and observes, each registry for itself', async () => {
  const metrics = createMetrics();
  metrics.count('tollgate_reloads_total', { what: 'keys' });
  metrics.count('tollgate_reloads_total', { what: 'keys' });
  metrics.set('tollgate_outbox_oldest_seconds', {}, 3);
  metrics.observe('tollgate_store_seconds', { operation: 'get' }, 0.003);
  metrics.observe('tollgate_store_seconds', { operation: 'get' }, -1);
  metrics.whenAsked((told) => told.set('tollgate_session_event_connections', {}, 7));
  expect(await lineOf('tollgate_reloads_total{', metrics)).toBe(
    'tollgate_reloads_total{what="keys"} 2',
  );
  expect(await lineOf('tollgate_outbox', metrics)).toBe('tollgate_outbox_oldest_seconds 3');
  expect(await lineOf('tollgate_store_seconds_sum', metrics)).toContain(' 0.003');
  expect(await lineOf('tollgate_session', metrics)).toBe('tollgate_session_event_connections 7');
  expect(metrics.contentType).toMatch('text/plain');
  expect(await lineOf('tollgate_reloads_total{')).toBeUndefined();
  expect(await lineOf('process_cpu_seconds_total')).toMatch(/ \d/);
  expect(await lineOf('tollgate_resident_memory_bytes')).toMatch(/ \d{7,}$/);
});

test('what is not known is absent, and not 0', async () => {
  const metrics = createMetrics();
  expect(await lineOf('tollgate_outbox_oldest_seconds', metrics)).toBeUndefined();
  metrics.set('tollgate_outbox_oldest_seconds', {}, 0);
  expect(await lineOf('tollgate_outbox', metrics)).toBe('tollgate_outbox_oldest_seconds 0');
  metrics.set('tollgate_outbox_oldest_seconds', {}, undefined);
  expect(await lineOf('tollgate_outbox_oldest_seconds', metrics)).toBeUndefined();
});

test('a defect makes no more than a thousand series', async () => {
  const metrics = createMetrics();
  for (let index = 0; index < 3000; index += 1) {
    metrics.count('tollgate_reloads_total', { what: `made up ${index}` });
  }
  const text = await metrics.text();
  expect(text.match(/^tollgate_reloads_total\{/gm)).toHaveLength(1001);
  expect(text).toContain('tollgate_reloads_total{what="other"} 2000');
});

test('every route is a word, whatever is asked for', () => {
  const words = new Set(paths.map(routeOf));
  expect([...words].every((word) => /^[a-z_]{3,20}$/.test(word))).toBe(true);
  expect(words.size).toBeGreaterThan(15);
  expect(routeOf('/some/thing/else')).toBe('other');
});
