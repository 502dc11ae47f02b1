/** Where state is kept, as an operator writes it: what is accepted, and how it is shown without its secrets. */

import { z } from 'zod';
import { checked, shown } from './fields.ts';
import type { Complaint } from './fields.ts';

const redisSchemes = ['redis', 'rediss', 'redis+sentinel', 'rediss+sentinel']
  .concat(['redis+cluster', 'rediss+cluster'])
  .map((scheme) => `${scheme}://`);

function complainOfStore(text: string): Complaint | undefined {
  if (/^sqlite:.+/s.test(text)) return undefined;
  if (/^mongodb(\+srv)?:\/\//.test(text)) return complainOfHosts(text);
  if (isRedis(text)) {
    return ['Redis keeps only what is hot.', 'Set it as `hot`, beside sqlite: or mongodb:.'];
  }
  return [
    `${shown(withoutSecrets(text))} is no store.`,
    'Write sqlite: and a path, such as sqlite:./data/tollgate.db, or mongodb:// and the rest.',
  ];
}

function complainOfHot(text: string): Complaint | undefined {
  if (isRedis(text)) return complainOfHosts(text);
  return [
    `${shown(withoutSecrets(text))} is no store for what is hot.`,
    'Write redis://host:6379, or leave it out: then all is in `store`.',
  ];
}

function isRedis(text: string): boolean {
  return redisSchemes.some((scheme) => text.startsWith(scheme));
}

function complainOfHosts(text: string): Complaint | undefined {
  const { hosts, userinfo } = partsOf(text);
  if (hosts === '' || /[\s"'<>\\]/.test(hosts)) {
    return [`${shown(withoutSecrets(text))} names no host.`, 'Write it behind the two slashes.'];
  }
  if (/[/?#@\s]/.test(userinfo)) {
    const message = 'The user name or the password has one of / ? # @ in it.';
    return [message, 'Write these as %2F %3F %23 %40.'];
  }
  return undefined;
}

/** Nothing of a connection string but its scheme, its hosts and its database: for people and logs. */
export function withoutSecrets(address: string): string {
  if (!address.includes('://')) {
    // Two slashes were forgotten, or the whole beginning: what was meant for a password is one all the same.
    const at = address.startsWith('sqlite:') ? -1 : address.lastIndexOf('@');
    return at < 0 ? address : `…${address.slice(at)}`;
  }
  const { scheme, hosts, path } = partsOf(address);
  return `${scheme}://${hosts}${path}`;
}

/** A password may hold what it should not: all that is before the last `@` is taken for secret. */
function partsOf(address: string): {
  scheme: string;
  userinfo: string;
  hosts: string;
  path: string;
} {
  const [scheme = '', rest = ''] = address.split(/:\/\/(.*)/s);
  const at = rest.lastIndexOf('@');
  const behind = rest.slice(at + 1);
  const [place = ''] = behind.split(/[?#]/);
  const slash = place.indexOf('/');
  return {
    scheme,
    userinfo: at < 0 ? '' : rest.slice(0, at),
    hosts: slash < 0 ? place : place.slice(0, slash),
    path: slash < 0 ? '' : place.slice(slash),
  };
}

export const storeAddress = checked(z.string(), complainOfStore);
export const hotAddress = checked(z.string(), complainOfHot);
