/** Our pages' own policy must not stop the way to an app, wherever that goes on to (security 0.6). */

import { expect, test } from 'vitest';
import { button, clientsElsewhere, goThrough, heading, requestOf } from '../stage.ts';
import type { Stage } from '../stage.ts';

const { asked } = clientsElsewhere;

/** The client's addresses lead on to a third site. */
function thirdSite({ sites }: Stage): void {
  const arrived = sites.put(`${sites.origin('third')}/arrived`, { page: '<h1>Arrived</h1>' });
  for (const path of ['/callback', '/bye']) {
    sites.put(`${sites.origin('client')}${path}`, { goesTo: arrived });
  }
}

export function policyStories(stage: () => Stage): void {
  for (const javaScriptEnabled of [true, false]) {
    const how = javaScriptEnabled ? '' : ', without script';

    test.each(['query', 'form_post'])(
      `response_mode=%s reaches an app that redirects to a third site${how}`,
      async (mode) => {
        const { sites, person } = stage();
        thirdSite(stage());
        const page = await (await person({ javaScriptEnabled })).newPage();
        await page.goto(requestOf(stage(), asked, { response_mode: mode, prompt: 'consent' }));
        await goThrough(page);
        await button(page, 'Allow').click();
        if (mode === 'form_post' && !javaScriptEnabled) await button(page, 'Continue').click();
        await heading(page, 'Arrived').waitFor();
        const { method, url, body } = sites.received(`${sites.origin('client')}/callback`).at(-1)!;
        expect(method).toBe(mode === 'query' ? 'GET' : 'POST');
        expect(`${url.search}${body}`).toMatch(/code=[\w.-]{20}.*state=.*iss=/);
      },
    );
  }

  test.each(['query', 'form_post'])('so does a refusal by response_mode=%s', async (mode) => {
    const { sites, person } = stage();
    thirdSite(stage());
    const page = await (await person()).newPage();
    await page.goto(requestOf(stage(), asked, { response_mode: mode, prompt: 'consent' }));
    await goThrough(page);
    await button(page, 'Don’t allow').click();
    await heading(page, 'Arrived').waitFor();
    const { url, body } = sites.received(`${sites.origin('client')}/callback`).at(-1)!;
    expect(`${url.search}${body}`).toContain('error=access_denied');
  });

  test('the question of signing out leads to a third site as well', async () => {
    const { world, sites, person } = stage();
    thirdSite(stage());
    const page = await (await person()).newPage();
    await page.goto(requestOf(stage(), asked, { prompt: 'consent' }));
    await goThrough(page);
    await button(page, 'Allow').click();
    await heading(page, 'Arrived').waitFor();
    const query = new URLSearchParams({
      client_id: asked,
      post_logout_redirect_uri: `${sites.origin('client')}/bye`,
    });
    await page.goto(`${world.issuer}/oauth2/logout?${query}`);
    await button(page, 'Sign out of all apps').click();
    await heading(page, 'Arrived').waitFor();
  });
}
