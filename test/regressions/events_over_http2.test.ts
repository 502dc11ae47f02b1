/** Node's HTTP/2 puts `:method` and the like beside the headers, which the web's Headers refuse. */

import { expect, test } from 'vitest';
import { webRequest } from '../../src/verify/node_request.ts';

test('an event that comes by HTTP/2 is read', async () => {
  async function* body() {
    yield await Promise.resolve('token');
  }
  const headers = { ':method': 'POST', ':path': '/events', 'content-type': 'text/plain' };
  const incoming = { method: 'POST', headers, [Symbol.asyncIterator]: body };
  const request = webRequest(incoming);
  expect(Object.fromEntries(request.headers)).toEqual({ 'content-type': 'text/plain' });
  expect(await request.text()).toBe('token');
});
