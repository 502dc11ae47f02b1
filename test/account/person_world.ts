/** People who look after themselves at a running server: browsers that are signed in, and the way to a page. */

import { vi } from 'vitest';
import type { Browser, BrowserOptions, Page } from '../../dev/walk.ts';
import type { PersonKey } from '../../dev/people.ts';
import { startWorld } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import type { ConfigChanges } from '../kit/server.ts';

export interface PersonWorld extends World {
  /** Milliseconds that pass. */
  pass(ms: number): void;
  /** Signed in at `/account`. */
  enter(person?: PersonKey, options?: BrowserOptions): Promise<Browser>;
  open(browser: Browser, path: string): Promise<Page>;
  /** Goes through whatever is asked until a page of `/account` is there. */
  into(browser: Browser, page: Page, who?: Who): Promise<Page>;
  /** Events of a type, as they were recorded for the audit. */
  told(type: string, user: string): Promise<Record<string, unknown>[]>;
}

export type Someone = { subject: string; name: string; email: string };

export interface Who {
  person?: PersonKey;
  someone?: Someone;
}

export async function startPersonWorld(config: ConfigChanges = {}): Promise<PersonWorld> {
  // The library, and those that check signatures, look at the clock of the machine.
  vi.useFakeTimers({ toFake: ['Date'], shouldAdvanceTime: true });
  const clock = () => Date.now();
  const world = await startWorld({ clock, config });
  const { issuer } = world;
  const browser = (options?: BrowserOptions) => world.browser({ clock, ...options });
  const open = (at: Browser, path: string) => at.get(`${issuer}${path}`);

  async function into(at: Browser, first: Page, { person, someone }: Who = {}): Promise<Page> {
    const who = someone === undefined ? `person=${person ?? 'ada'}` : 'person=someone';
    const wanted = [who, 'provider=upstream', 'account=acc_acme'];
    let page = first;
    for (let step = 0; step < 8; step += 1) {
      const buttons = page.forms.flatMap((form) => form.buttons);
      // Somebody else was signed in: the library's page that posts itself.
      if (page.title.startsWith('One moment')) {
        page = await at.submit(page);
        continue;
      }
      const has = (one: string) => buttons.some(({ name, value }) => `${name}=${value}` === one);
      // The page of ways to sign in has a button for a provider, too.
      const isThere = page.url.startsWith(`${issuer}/account`);
      const button = isThere ? undefined : wanted.find(has);
      if (button === undefined) return page;
      const typed = button === 'person=someone' && someone ? { fields: { ...someone } } : {};
      page = await at.submit(page, { button, ...typed });
    }
    throw new Error(`no end at ${page.url}`);
  }

  return {
    ...world,
    browser,
    pass(ms) {
      vi.setSystemTime(Date.now() + ms);
    },
    async close() {
      await world.close();
      vi.useRealTimers();
    },
    open,
    into,
    async enter(person = 'ada', options = {}) {
      const at = browser(options);
      const page = await into(at, await open(at, '/account'), { person });
      if (page.status !== 200) throw new Error(`${page.status} at ${page.url}: ${page.visible}`);
      return at;
    },
    async told(type, user) {
      await world.server.dispatcher.drain();
      const records = await world.store.find('audit', 'user', user, { limit: 1000 });
      return records
        .filter(({ document }) => document.type === type)
        .map((one) => one.document.data);
    },
  };
}

/** What a hidden field of a form on this page says. */
export function hidden(page: Page, action: string, name: string): string {
  const form = page.forms.find((one) => one.action === action);
  const field = form?.fields.find((one) => one.name === name);
  if (field === undefined) throw new Error(`no ${name} in a form to ${action} at ${page.url}`);
  return field.value;
}
