/** People and their accounts: a real browser, our pages, and the e-mails that are sent. */

import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { browserIsThere } from '../kit/browser.ts';
import { openStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { peopleStories } from './stories/people.ts';

describe.skipIf(!browserIsThere())('people in a browser', { timeout: 180_000 }, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
  }, 60_000);
  afterEach(async ({ task }) => {
    const { troubles, pages } = await stage.endScene();
    const reasons = task.result?.state === 'fail' ? [...troubles, ...pages] : troubles;
    if (reasons.length > 0) throw new Error(`beside the story:\n${reasons.join('\n')}`);
  });
  afterAll(() => stage?.close());
  peopleStories(() => stage);
});
