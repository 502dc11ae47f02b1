import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from '../../dev/walk.ts';
import type { PersonKey } from '../../dev/people.ts';
import { signIn, startWorld } from '../kit/world.ts';
import type { World } from '../kit/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const at = (path: string, account: string, more: Record<string, string> = {}) =>
  `${world.issuer}/account/${path}?${new URLSearchParams({ account, ...more })}`;

async function visitor(person: PersonKey, account: string): Promise<Browser> {
  const browser = world.browser();
  await signIn(world.issuer, browser, { person, account });
  return browser;
}

test('smoke', async () => {
  const ada = await visitor('ada', 'acc_acme');
  const page = await ada.get(at('members', 'acc_acme'));
  console.log(page.status, page.text);
});
