/** A form, or bytes, over a connection of its own: behind a balancer each request may reach another process. */

import { request as httpRequest } from 'node:http';

export interface PostAnswer {
  status: number;
  headers: Headers;
  text: string;
}

export function postForm(url: string, form: URLSearchParams): Promise<PostAnswer> {
  return post(url, Buffer.from(form.toString()), {
    'Content-Type': 'application/x-www-form-urlencoded',
    Accept: 'application/json',
  });
}

export function post(
  url: string,
  body: Uint8Array,
  given: Record<string, string>,
): Promise<PostAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<PostAnswer>();
  const headers = { 'Content-Length': String(body.length), ...given };
  const options = { method: 'POST', agent: false, headers, timeout: 30_000 };
  const request = httpRequest(url, options, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      const pairs = Object.entries(response.headers).flatMap(([name, value]) =>
        [value ?? []].flat().map((one): [string, string] => [name, one]),
      );
      const text = Buffer.concat(chunks).toString();
      resolve({ status: response.statusCode ?? 0, headers: new Headers(pairs), text });
    });
  });
  request.on('timeout', () => request.destroy(new Error(`${url} does not answer`)));
  request.on('error', reject);
  request.end(body);
  return promise;
}
