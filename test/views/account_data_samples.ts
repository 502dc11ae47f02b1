/** The pages about a person's own data, in each state. */

import type { Html } from '../../src/web/html.ts';
import { dataPage, deletedPage, deletePage } from '../../views/account/data.ts';
import type { QuestionView } from '../../views/account/data.ts';
import { dataTexts } from '../../views/account/data_texts.ts';
import type { Brand } from '../../views/layout.ts';

const at = Date.UTC(2026, 8, 30);
const shared = { tab: 'data', sells: true, csrf: 'v1.mac', path: '/account/data' } as const;

const accounts = (count: number) =>
  Array.from({ length: count }, (_, number) => ({
    id: `acc_${number}`,
    name: number === 1 ? 'Donaudampfschifffahrtsgesellschaft <Wien>' : `Acme ${number}`,
  }));

export function dataSamples(brand: Brand): [string, () => Html][] {
  const question = (view: Partial<QuestionView>) => () =>
    deletePage({ ...shared, days: 14, closing: [], handOver: [], ...view }, brand);
  const { done } = dataTexts;
  return [
    ['own data', () => dataPage(shared, brand)],
    [
      'own data, deletion asked',
      () => dataPage({ ...shared, deletion: { dueAt: at }, done: done.asked }, brand),
    ],
    ['own data, deletion taken back', () => dataPage({ ...shared, done: done.kept }, brand)],
    ['delete yourself', question({})],
    ['delete yourself, with accounts', question({ closing: accounts(2), days: 1 })],
    ['delete yourself, at once', question({ days: 0, closing: accounts(1) })],
    ['delete yourself, hand over first', question({ handOver: accounts(2) })],
    ['delete yourself, hand over many first', question({ handOver: accounts(60) })],
    ['deleted', () => deletedPage(brand)],
  ];
}
