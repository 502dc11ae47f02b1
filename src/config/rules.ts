/** What has to hold between keys. */

import { inRange, parseAddress, parseRange } from '../base/addresses.ts';
import { checkBilling, webhookSecretsOf } from './billing_rules.ts';
import { complainOfAddress, complainOfNativeAddress, isLoopback, shown } from './fields.ts';
import type { Complaint } from './fields.ts';
import type { ConfigProblem } from './problems.ts';
import { variableOf } from './environment.ts';
import { checkReceivers, receiverSecrets } from './receiver_rules.ts';
import { complainOfSharing, complainOfStrength } from './secrets_rules.ts';
import type { NamedSecret } from './secrets_rules.ts';
import type { ClientConfig, Config, ProviderConfig } from './schema.ts';
import type { Sound } from './sound.ts';

type Client = Sound<ClientConfig>;
type Provider = Sound<ProviderConfig>;

/** @param broken keys that are wrong by themselves: nothing is concluded from their absence */
export function checkTogether(config: Sound<Config>, broken: ReadonlySet<string>): ConfigProblem[] {
  const providers = config.providers ?? [];
  const clients = config.clients ?? [];
  const products = config.products ?? [];
  return [
    ...repetitions('providers', 'id', providers),
    ...repetitions('clients', 'id', clients),
    ...repetitions('products', 'id', products),
    ...repetitions('receivers', 'id', config.receivers ?? []),
    ...repetitions('products', 'audience', products),
    ...checkProviders(config),
    ...providers.flatMap((provider, index) => {
      const key = `providers[${index}]`;
      const unclear = broken.has(`${key}.preset`) || broken.has(`${key}.type`);
      return provider === undefined || unclear ? [] : checkProvider(provider, key);
    }),
    ...clients.flatMap((client, index) =>
      client === undefined ? [] : checkClient(client, `clients[${index}]`, config),
    ),
    ...checkAudiences(config),
    ...checkOutgoing(config),
    ...checkReceivers(config),
    ...checkSecrets(config),
    ...checkLifetimes(config),
    ...checkStore(config),
    ...checkBilling(config, broken),
    ...checkMetrics(config),
  ];
}

/** The internet has no business there. */
function checkMetrics({ metrics, port }: Sound<Config>): ConfigProblem[] {
  if (metrics?.port === undefined || metrics.port === 0 || metrics.port !== port) return [];
  const message = 'It is the `port` that browsers come to.';
  return [{ key: 'metrics.port', message, remedy: 'Choose another.' }];
}

function repetitions<Key extends string>(
  list: string,
  key: Key,
  entries: readonly ({ [K in Key]?: string | undefined } | undefined)[],
): ConfigProblem[] {
  const seen = new Map<string, number>();
  return entries.flatMap((entry, index) => {
    const value = entry?.[key]?.toLowerCase();
    if (value === undefined) return [];
    const before = seen.get(value);
    seen.set(value, before ?? index);
    if (before === undefined) return [];
    return [
      { key: `${list}[${index}].${key}`, message: `${list}[${before}] has the same ${key}.` },
    ];
  });
}

/** A product's token must not open what is ours (`oidc/resources.ts`). */
function checkAudiences({ issuer, products = [] }: Sound<Config>): ConfigProblem[] {
  return products.flatMap((product, index) => {
    if (issuer === undefined || product?.audience !== `${issuer}/ssf`) return [];
    const message = 'This audience is the one of the streams of security events.';
    return [{ key: `products[${index}].audience`, message, remedy: 'Choose another.' }];
  });
}

function checkProviders({ providers = [], defaultProvider }: Sound<Config>): ConfigProblem[] {
  if (providers.length === 0) {
    const remedy = 'Add one: nobody can sign in without.';
    return [{ key: 'providers', message: 'There is none.', remedy }];
  }
  if (defaultProvider === undefined) return [];
  const ids = providers.flatMap((provider) => provider?.id ?? []);
  if (ids.includes(defaultProvider)) return [];
  const remedy = ids.length === 0 ? undefined : `There are: ${ids.join(', ')}.`;
  return [{ key: 'defaultProvider', message: 'There is no such provider.', remedy }];
}

function checkProvider(provider: Provider, key: string): ConfigProblem[] {
  const { id = '', preset, issuer, clientSecret, hostedDomains } = provider;
  const type = preset === undefined ? provider.type : presetTypes[preset];
  const problems: ConfigProblem[] = [];
  const complain = (at: string, message: string, remedy?: string) =>
    problems.push({ key: at === '' ? key : `${key}.${at}`, message, remedy });

  if (preset !== undefined && provider.type !== undefined && provider.type !== type) {
    complain('type', `The preset ${preset} is ${type}.`, 'Remove it.');
  }
  const needed = [
    provider.authorizationEndpoint,
    provider.tokenEndpoint,
    provider.userinfoEndpoint,
  ];
  const given = needed.filter((endpoint) => endpoint !== undefined).length;
  const any = given > 0 || provider.emailsEndpoint !== undefined;
  if (type === 'oauth2' && given < 3 && (any || preset === undefined)) {
    complain(
      '',
      'Some of its endpoints are missing.',
      'Set authorizationEndpoint, tokenEndpoint and userinfoEndpoint together.',
    );
  } else if (type !== 'oauth2' && any) {
    complain('', 'Endpoints are set, but it is not `oauth2`.', 'Set the issuer, or the type.');
  } else if (type !== 'oauth2' && preset === undefined && issuer === undefined) {
    complain('issuer', 'It is missing.', 'Set preset, or issuer, or type and endpoints.');
  }
  if (preset !== undefined && clientSecret === undefined) {
    complain('clientSecret', 'It is missing.', `Set ${variableOf('PROVIDER', id)}.`);
  }
  if (hostedDomains !== undefined && type === 'oauth2') {
    complain('hostedDomains', 'Only OpenID Connect providers tell of it.', 'Remove it.');
  }
  if (hostedDomains?.length === 0) complain('hostedDomains', 'An empty list lets in nobody.');
  return problems;
}

const presetTypes = { google: 'oidc', github: 'oauth2' } as const;

function checkClient(client: Client, key: string, config: Sound<Config>): ConfigProblem[] {
  const { id = '', product, grantTypes = [], redirectUris = [] } = client;
  const problems: ConfigProblem[] = [];
  const complain = (at: string, message: string, remedy?: string) =>
    problems.push({ key: `${key}.${at}`, message, remedy });

  if (['tollgate-links', 'tollgate-signup'].includes(id.toLowerCase())) {
    complain('id', 'This id is the one of the link endpoints.', 'Choose another.');
  }
  const products = (config.products ?? []).flatMap((entry) => entry?.id ?? []);
  if (product !== undefined && !products.includes(product)) {
    complain('product', `There is no product ${shown(product)}.`, `Define it in \`products\`.`);
  }
  const interactive = grantTypes.includes('authorization_code');
  if (interactive && redirectUris.length === 0) {
    complain('redirectUris', 'An app that people sign in to needs one.');
  }
  if (grantTypes.includes('refresh_token') && !interactive) {
    complain('grantTypes', 'refresh_token is of no use without authorization_code.');
  }
  if (client.ssf === true && !grantTypes.includes('client_credentials')) {
    complain('ssf', 'Its tokens come by client_credentials.', 'Add that to its grantTypes.');
  }
  // By the specification always https. On this machine there are no certificates, on either side.
  const plainly = client.initiateLoginUri?.toLowerCase().startsWith('http:') === true;
  if (plainly && config.issuer?.startsWith('https:') === true) {
    complain('initiateLoginUri', 'It is not secure.', 'Begin it with https://.');
  }
  problems.push(...checkAddresses(client, key), ...checkClientSecret(client, key));
  return problems;
}

function checkAddresses(client: Client, key: string): ConfigProblem[] {
  const complain: (text: string) => Complaint | undefined =
    client.applicationType === 'native' ? complainOfNativeAddress : complainOfAddress;
  return (['redirectUris', 'postLogoutRedirectUris'] as const).flatMap((name) =>
    (client[name] ?? []).flatMap((uri, index) => {
      const complaint = uri === undefined ? undefined : complain(uri);
      if (complaint === undefined) return [];
      return [{ key: `${key}.${name}[${index}]`, message: complaint[0], remedy: complaint[1] }];
    }),
  );
}

/** An app whose secret was forgotten must not become one that needs none. */
function checkClientSecret(client: Client, key: string): ConfigProblem[] {
  const { id = '', secret, grantTypes = [], applicationType } = client;
  const at = `${key}.secret`;
  if (secret === undefined) {
    const remedy = `Set ${variableOf('CLIENT', id)}.`;
    if (grantTypes.includes('client_credentials')) {
      return [{ key: at, message: 'client_credentials needs one.', remedy }];
    }
    if (client.public === true || applicationType === 'native') return [];
    const orPublic = `${remedy} For an app that cannot keep one: \`public: true\`.`;
    return [{ key: at, message: 'It is missing.', remedy: orPublic }];
  }
  if (client.public === true) {
    return [{ key: at, message: 'It has a secret, and is `public`.', remedy: 'Remove one.' }];
  }
  if (!/^[A-Za-z0-9._~-]+$/.test(secret)) {
    const message = 'It has characters that client libraries spell in different ways.';
    return [{ key: at, message, remedy: 'Use A-Z a-z 0-9 . _ ~ - only.' }];
  }
  return complainOfStrength({ key: at, value: secret });
}

/** A provider on this machine is for laptops and tests, and each sign-in would be refused by the guard. */
function checkOutgoing({ providers = [], outgoing }: Sound<Config>): ConfigProblem[] {
  const allowed = (outgoing?.allowPrivate ?? []).flatMap((text) => parseRange(text ?? '') ?? []);
  if (allowed.some((range) => loopback.some((address) => inRange(address, range)))) return [];
  return providers.flatMap((provider, index) => {
    const { issuer, authorizationEndpoint, tokenEndpoint, userinfoEndpoint } = provider ?? {};
    const plain = [issuer, authorizationEndpoint, tokenEndpoint, userinfoEndpoint].some((address) =>
      address?.startsWith('http:'),
    );
    if (!plain) return [];
    const message = `providers[${index}] is on this machine, which requests may not go to.`;
    const remedy = "For a development machine: allowPrivate: ['127.0.0.0/8', '::1'].";
    return [{ key: 'outgoing.allowPrivate', message, remedy }];
  });
}

const loopback = ['127.0.0.1', '::1'].flatMap((text) => parseAddress(text) ?? []);

function checkSecrets(config: Sound<Config>): ConfigProblem[] {
  const own = named(config.secrets ?? [], (index) => `secrets[${index}]`);
  const clients = named(
    (config.clients ?? []).map((client) => client?.secret),
    (index) => `clients[${index}].secret`,
  );
  const providers = named(
    (config.providers ?? []).map((provider) => provider?.clientSecret),
    (index) => `providers[${index}].clientSecret`,
  );
  const receivers = (config.receivers ?? []).flatMap((receiver, index) =>
    receiverSecrets(receiver?.secret).map((value) => ({
      key: `receivers[${index}].secret`,
      value,
    })),
  );
  const all = [...own, ...clients, ...receivers, ...webhookSecretsOf(config)];
  return [...own.flatMap(complainOfStrength), ...complainOfSharing([...all, ...providers])];
}

function named(
  values: readonly (string | undefined)[],
  key: (index: number) => string,
): NamedSecret[] {
  return values.flatMap((value, index) =>
    value === undefined ? [] : [{ key: key(index), value }],
  );
}

function checkLifetimes({ lifetimes = {} }: Sound<Config>): ConfigProblem[] {
  return (['session', 'refresh'] as const).flatMap((name) => {
    const idle = lifetimes[`${name}Idle`];
    const absolute = lifetimes[`${name}Absolute`];
    if (idle === undefined || absolute === undefined || idle <= absolute) return [];
    const message = `It is longer than ${name}Absolute (${absolute}).`;
    return [{ key: `lifetimes.${name}Idle`, message, remedy: 'Shorten it, or lengthen that.' }];
  });
}

/** All would be signed out at each start. On a laptop that may be what is wanted. */
function checkStore({ store, issuer }: Sound<Config>): ConfigProblem[] {
  if (store !== 'sqlite::memory:' || issuer === undefined) return [];
  if (isLoopback(new URL(issuer).hostname)) return [];
  const remedy = 'Name a file: sqlite:./data/tollgate.db.';
  return [{ key: 'store', message: 'It keeps nothing.', remedy }];
}
