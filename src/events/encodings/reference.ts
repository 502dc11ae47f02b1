/** `npm run docs`: the table of types in `docs/events.md`, and `docs/events.schema.json`, from the table of fields. */

import { toldFields } from './fields.ts';
import type { TypeFields } from './fields.ts';
import { webhookVersion } from './webhook.ts';

export function typesTable(): string {
  const rows = [...toldFields].map(([type, { text, fields }]) => {
    const said = Object.entries(fields).map(
      ([name, one]) => `\`${name}\`${one.optional === true ? ' (not always)' : ''}: ${one.text}`,
    );
    return `| \`${type}\` | ${text} | ${said.join('. ')} |`;
  });
  return ['| type | what happened | `data` |', '| --- | --- | --- |', ...rows].join('\n');
}

/** JSON Schema of a webhook's body. */
export function eventsSchema(): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'The body of a webhook of Tollgate',
    description: 'Types and fields are added: take no harm from one that is not known here.',
    oneOf: [...toldFields].map(([type, told]) => bodySchema(type, told)),
  };
}

function bodySchema(type: string, { text, fields }: TypeFields): object {
  const entries = Object.entries(fields);
  return {
    description: text,
    type: 'object',
    properties: {
      type: { const: type },
      timestamp: { type: 'string', format: 'date-time' },
      version: { const: webhookVersion },
      data: {
        type: 'object',
        properties: Object.fromEntries(
          entries.map(([name, one]) => [name, { ...one.schema, description: one.text }]),
        ),
        required: entries.filter(([, one]) => one.optional !== true).map(([name]) => name),
      },
    },
    required: ['type', 'timestamp', 'version', 'data'],
  };
}
