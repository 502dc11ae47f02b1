/** What the frame of a page needs to know of a request. */

import type { FrameView, Tab } from '../../views/account/frame.ts';
import { launchable } from './launchable.ts';
import type { AccountPages } from './pages.ts';
import type { MemberVisit, PersonVisit } from './visit.ts';

/** @param done the sentences of this page, by the code that a redirect brings (`Answer.done`) */
export function frameOf(
  visit: PersonVisit | MemberVisit,
  { config }: Pick<AccountPages, 'config'>,
  { tab, done = {} }: { tab: Tab; done?: Readonly<Record<string, string>> },
): FrameView {
  const code = visit.query.get('done');
  const sells =
    config.stripe !== undefined && config.products.some(({ plans }) => plans.length > 0);
  const launches = launchable(config).length > 0;
  return {
    tab,
    sells,
    launches,
    ...('account' in visit
      ? {
          account: {
            id: visit.account.id,
            name: visit.account.name,
            rights: visit.rights,
            isOwner: visit.isOwner,
          },
        }
      : {}),
    ...(code !== undefined && Object.hasOwn(done, code) ? { done: done[code] } : {}),
  };
}
