/** Going through all of something, page by page. What is written meanwhile may be met or not; what is removed is no obstacle. */

import type { Documents, Kind } from './kinds.ts';
import type { Store, Stored } from './store.ts';

const usualPageSize = 100;

interface Going {
  /** Continue behind this id. */
  after?: string | undefined;
  pageSize?: number;
}

/** @param read one page: a page that is not full is the last one */
export async function* pagesOf<Row extends { id: string }>(
  read: (paging: { limit: number; after?: string }) => Promise<Row[]>,
  { after: from, pageSize = usualPageSize }: Going = {},
): AsyncGenerator<Row[]> {
  let after = from;
  for (;;) {
    const page = await read({ limit: pageSize, ...(after === undefined ? {} : { after }) });
    yield page;
    after = page.at(-1)?.id;
    if (page.length < pageSize) return;
  }
}

/** Documents whose index or unique field `index` holds `value`, in the order of their ids. */
export async function* eachFound<K extends Kind>(
  store: Pick<Store, 'find'>,
  kind: K,
  by: { index: string; value: string },
  going: Going = {},
): AsyncGenerator<Stored<Documents[K]>> {
  const read = (paging: object) => store.find(kind, by.index, by.value, paging);
  for await (const page of pagesOf(read, going)) yield* page;
}

/** All documents of a kept kind, in the order of their ids. */
export async function* eachListed<K extends Kind>(
  store: Pick<Store, 'list'>,
  kind: K,
  going: Going = {},
): AsyncGenerator<Stored<Documents[K]>> {
  for await (const page of pagesOf((paging) => store.list(kind, paging), going)) yield* page;
}
