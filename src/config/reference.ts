/** Prints `docs/configuration.md` from the schema, so that the two cannot differ. */

import { z } from 'zod';
import { changeable, withPlans } from './changes.ts';
import { configSchema } from './schema.ts';
import { unwrap } from './sound.ts';

const opening = `# Configuration

<!-- Made by \`npm run docs\` from src/config/schema.ts. Do not edit it here. -->

One file, \`tollgate.config.ts\` (or \`.js\`, \`.json\`, or what \`--config\` names), whose default export is an object with
the keys below. \`tollgate.config.example.ts\` is the start of one. \`npm start -- check\` lists everything that is
wrong with yours and starts nothing; with a wrong one, nothing starts.

## Secrets

Secrets come from the environment, so that the file can lie in your repository:

| variable | what it is |
| --- | --- |
| \`TOLLGATE_SECRET\` | the server's own secrets, at least 32 bytes each, separated by commas, newest first |
| \`TOLLGATE_STORE\`, \`TOLLGATE_HOT\` | the keys \`store\` and \`hot\`, for addresses with a secret in them |
| \`TOLLGATE_PROVIDER_<ID>_SECRET\` | the client secret that an upstream provider gave you |
| \`TOLLGATE_CLIENT_<ID>_SECRET\` | the secret of an app: at least 32 of \`A-Z a-z 0-9 . _ ~ -\` |
| \`TOLLGATE_STRIPE_SECRET_KEY\` | the secret or restricted key of your Stripe account |
| \`TOLLGATE_STRIPE_WEBHOOK_SECRETS\` | what Stripe signs its webhooks with (\`whsec_…\`), separated by commas while one is replaced |
| \`TOLLGATE_MAIL_SERVER\` | the address of the mail server, with the password that is a secret |
| \`TOLLGATE_RECEIVER_<ID>_SECRET\` | what webhooks are signed with: \`whsec_\` and base64; two separated by a comma while it is changed, newest first |

\`<ID>\` is the id in capitals, with \`_\` for everything but letters and digits: the client \`my-app\` has
\`TOLLGATE_CLIENT_MY_APP_SECRET\`. With \`_FILE\` behind it, a variable names a file that holds the secret. The environment
wins over the file. A \`TOLLGATE_\` variable that means nothing is refused, because it is a misspelled one.

\`openssl rand -hex 32\` makes a secret. Short, repeated and well-known ones are refused, and two that are equal.

**Secrets of apps to come.** The environment of a running process cannot grow. So \`TOLLGATE_SECRET_FOLDER\` names a folder with
files that are named as the variables (\`TOLLGATE_CLIENT_MY_APP_SECRET\`), such as a mounted secret of Kubernetes. Variables win over it.

**Changing the server's secret:** put the new one before the old one (\`TOLLGATE_SECRET=new,old\`) and restart. The old one still
opens what it made. Remove it when what it made has ended, by default after 90 days (\`lifetimes.refreshAbsolute\`).

## Changes without a restart

A running process looks at the file, and at the files of secrets, every second. It takes up changes of
${changeable.map((key) => `\`${key}\``).join(', ')}
from the next request on, and says in its log what has changed. Changes of other keys wait for a restart, which it says as well; and where
\`stripe\` has changed with them, or \`registration\` to or from \`checkout\`, so do ${withPlans.map((key) => `\`${key}\``).join(', ')}, which hang together with these.
When the file is bad, the log tells what is wrong, and all stays as it was. What a \`.ts\` or \`.js\` file imports, and variables,
are those of the start. Several processes are several copies of the file: they take up theirs when it changes.

An app that is removed gets no more tokens, at once; access tokens that it has are good until they expire. When it comes back under
the same id, so do its refresh tokens.

## Signing keys

Made at the first start and kept sealed in the store: \`ES256\` for access tokens, \`RS256\` for ID tokens. \`npm start -- keys rotate\`
makes new ones (\`--alg ES256\` only that), and \`keys list\` says how they stand (\`--json\` for programs). Run it with the environment of
the running processes, and not while their secret is being changed. They publish a new key within seconds and sign with it 6 minutes later, when no service has the old
list in a cache. The old key is published on for as long as anything that it signed may be shown (the longest of
\`lifetimes.accessToken\`, \`idToken\` and \`sessionAbsolute\`, since an app signs out with the ID token of the beginning) and is deleted then.

## Addresses

Addresses begin with \`https://\`. Plain \`http://\` is accepted for this machine only: \`localhost\`, names ending in
\`.localhost\`, \`127.0.0.0/8\` and \`[::1]\`. None has a fragment, a wildcard, a user name or a password.
`;

interface Key {
  name: string;
  type: string;
  /** Undefined: it has to be set. Empty: it may be left out. */
  standard: string | undefined;
  text: string;
  group: z.ZodObject | undefined;
}

/** The whole page. */
export function configurationReference(): string {
  return [opening, ...sections('', '## Keys', configSchema)].join('\n');
}

function sections(prefix: string, title: string, schema: z.ZodObject, text = ''): string[] {
  const keys = keysOf(schema);
  const rows = keys.map(
    ({ name, type, standard, text: about }) =>
      `| \`${name}\` | ${type} | ${standard ?? '**needed**'} | ${about} |`,
  );
  const head = text === '' ? [title, ''] : [title, '', text, ''];
  const table = ['| key | type | default | |', '| --- | --- | --- | --- |', ...rows, ''];
  const inner = keys.flatMap(({ name, type, group, text: about }) => {
    if (group === undefined) return [];
    const path = `${prefix}${name}${type.startsWith('list') ? '[]' : ''}`;
    return sections(`${path}.`, `### \`${path}\``, group, about);
  });
  return [...head, ...table, ...inner];
}

function keysOf(schema: z.ZodObject): Key[] {
  const shape: Record<string, z.core.$ZodType> = schema.shape;
  return Object.entries(shape).map(([name, part]) => {
    const inner = unwrap(part);
    const element = inner instanceof z.ZodArray ? unwrap(inner.element) : inner;
    return {
      name,
      type: typeOf(inner),
      standard: standardOf(part),
      text: z.globalRegistry.get(part)?.description ?? '',
      group: element instanceof z.ZodObject ? element : undefined,
    };
  });
}

function typeOf(schema: z.core.$ZodType): string {
  if (schema instanceof z.ZodArray) return `list of ${plural(typeOf(unwrap(schema.element)))}`;
  if (schema instanceof z.ZodEnum) {
    return schema.options.map((option) => `\`${option}\``).join(', ');
  }
  if (schema instanceof z.ZodNumber) return `${schema.minValue} to ${schema.maxValue}`;
  if (schema instanceof z.ZodBoolean) return '`true`, `false`';
  return schema instanceof z.ZodObject ? 'keys' : 'text';
}

function plural(type: string): string {
  if (type === 'keys') return 'entries';
  return type === 'text' ? 'texts' : type;
}

function standardOf(schema: z.core.$ZodType): string | undefined {
  if (schema instanceof z.ZodPrefault) return '';
  if (schema instanceof z.ZodDefault) {
    const value: unknown = schema.def.defaultValue;
    return Array.isArray(value) && value.length === 0 ? '' : `\`${JSON.stringify(value)}\``;
  }
  return z.safeParse(schema, undefined).success ? '' : undefined;
}
