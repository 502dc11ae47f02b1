/** Sites of other people: one server under many names, each of them a site of its own to a browser. */

import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { listen } from '../../dev/listen.ts';

export interface Received {
  method: string;
  url: URL;
  body: string;
}

type Answer = { page: string } | { goesTo: string };

export interface Sites {
  /** `http://<name>.localhost:…`; without a name, another port of Tollgate's own host. */
  origin(name?: string): string;
  /** From now on this is what is found there, however it is asked for. */
  put(address: string, answer: Answer): string;
  received(address: string): Received[];
  close(): Promise<void>;
}

export async function startSites(): Promise<Sites> {
  const answers = new Map<string, Answer>();
  const requests: Received[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
      const { method = '' } = request;
      requests.push({ method, url, body });
      const answer = answers.get(`${url.origin}${url.pathname}`);
      if (answer === undefined) return response.writeHead(404).end();
      if ('goesTo' in answer) return response.writeHead(303, { location: answer.goesTo }).end();
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      return response.end(`<!doctype html><link rel="icon" href="data:,">${answer.page}`);
    });
  });
  const listening = await listen(server, 0);
  const { port } = new URL(listening.url);
  return {
    origin: (name) => `http://${name === undefined ? '' : `${name}.`}localhost:${port}`,
    put(address, answer) {
      answers.set(address, answer);
      return address;
    },
    received: (address) => requests.filter(({ url }) => `${url.origin}${url.pathname}` === address),
    close: listening.close,
  };
}
