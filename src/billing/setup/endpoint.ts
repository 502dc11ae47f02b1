/**
 * What Stripe sends to `/integrations/stripe/events`: a webhook endpoint with snapshots of our version of the API, or
 * an event destination with thin events, which have no version. One of the two is needed; both do no harm.
 */

import { handledTypes } from '../event_kinds.ts';
import { apiVersion } from '../stripe.ts';
import type { Stripe } from '../stripe.ts';
import { mostRead, pageSize, quoted, settle } from './survey.ts';
import type { Complaint, SellingConfig, Survey } from './survey.ts';

const eventsPath = '/integrations/stripe/events';

type SnapshotType = (typeof handledTypes)[number];

/** What an endpoint has to send. One that is made is asked for all. */
function neededBy({ stripe }: SellingConfig): SnapshotType[] {
  return handledTypes.filter(
    (type) => stripe.disputes === 'end' || !type.startsWith('charge.dispute.'),
  );
}

export interface EndpointResult {
  /** What it signs with, told once, of one that was made now. */
  secret: string | undefined;
}

/** @param thin which of the two is made where there is none */
export async function surveyEndpoint(survey: Survey, thin: boolean): Promise<EndpointResult> {
  const { config, findings } = survey;
  const url = `${config.issuer}${eventsPath}`;
  const before = findings.length;
  const [endpoint, destination] = [await findEndpoint(survey, url), await findThin(survey, url)];
  const isForwarded =
    complainOfReach(survey) !== undefined && config.stripe.webhookSecrets.length > 0;
  if (isForwarded && endpoint === undefined && destination === undefined) {
    findings.push({ what: 'webhook', state: 'good' });
    return { secret: undefined };
  }
  const types = neededBy(config);
  let secret: string | undefined;
  if (destination !== undefined || (thin && endpoint === undefined)) {
    secret = await settleThin(survey, { url, types, found: destination });
  }
  if (endpoint !== undefined || (!thin && destination === undefined)) {
    secret = await settleSnapshot(survey, { url, types, found: endpoint });
  }
  const isThere = findings.slice(before).some(({ state }) => state === 'good');
  if (isThere && config.stripe.webhookSecrets.length === 0) {
    findings.push({
      what: 'webhook secret',
      state: 'different',
      says: 'What Stripe sends is not believed: `stripe.webhookSecrets` is empty.',
      remedy:
        'Set TOLLGATE_STRIPE_WEBHOOK_SECRETS to the one that Stripe shows beside the endpoint.',
    });
  }
  return { secret };
}

interface Place<T> {
  url: string;
  types: readonly SnapshotType[];
  found: T | undefined;
}

async function findEndpoint({ stripe }: Survey, url: string) {
  const list = await stripe.call('webhookEndpoints.list', (api) =>
    api.webhookEndpoints.list({ limit: pageSize }).autoPagingToArray({ limit: mostRead }),
  );
  const ours = list.filter((endpoint) => endpoint.url === url);
  return ours.find(({ status }) => status === 'enabled') ?? ours[0];
}

const include = ['webhook_endpoint.url'];

async function findThin({ stripe }: Survey, url: string) {
  const list = await stripe.call('v2.core.eventDestinations.list', (api) =>
    api.v2.core.eventDestinations
      .list({ limit: pageSize, include })
      .autoPagingToArray({ limit: mostRead }),
  );
  const ours = list.filter(
    (one) => one.event_payload === 'thin' && one.webhook_endpoint?.url === url,
  );
  return ours.find(({ status }) => status === 'enabled') ?? ours[0];
}

const switchOn = "Switch it on in Stripe's dashboard (Developers, Webhooks).";
const addThem = "Add them in Stripe's dashboard (Developers, Webhooks).";

async function settleSnapshot(
  survey: Survey,
  { url, types, found }: Place<Stripe.WebhookEndpoint>,
): Promise<string | undefined> {
  const parameters: Stripe.WebhookEndpointCreateParams = {
    url,
    enabled_events: [...handledTypes],
    api_version: apiVersion,
  };
  const settled = await settle(survey, {
    what: 'webhook',
    found,
    absent: `None sends to ${url}.`,
    complain: (one) => complainOfSnapshot(one, types),
    make:
      complainOfReach(survey) ??
      ({
        call: 'webhookEndpoints.create',
        parameters,
        create: (api, options) => api.webhookEndpoints.create(parameters, options),
      } as const),
  });
  return settled?.secret;
}

function complainOfSnapshot(
  { status, api_version: version, enabled_events: enabled }: Stripe.WebhookEndpoint,
  types: readonly string[],
): Complaint[] {
  const complaints: Complaint[] = [];
  if (status !== 'enabled') complaints.push(['It is switched off.', switchOn]);
  if (version !== apiVersion) {
    complaints.push([
      `It sends the version ${version ?? 'of the account'} of the API, not ${apiVersion}.`,
      'Make another with `tollgate stripe push --yes` after deleting it, or use thin events.',
    ]);
  }
  const lacking = enabled.includes('*') ? [] : types.filter((type) => !enabled.includes(type));
  if (lacking.length > 0) complaints.push([`It does not send ${quoted(lacking)}.`, addThem]);
  return complaints;
}

async function settleThin(
  survey: Survey,
  { url, types, found }: Place<Stripe.V2.Core.EventDestination>,
): Promise<string | undefined> {
  const wanted = types.map((type) => `v1.${type}`);
  const parameters = {
    name: 'Tollgate',
    type: 'webhook_endpoint',
    event_payload: 'thin',
    enabled_events: handledTypes.map((type) => `v1.${type}`),
    webhook_endpoint: { url },
    include: ['webhook_endpoint.signing_secret', 'webhook_endpoint.url'],
  } as const;
  const settled = await settle(survey, {
    what: 'webhook (thin)',
    found,
    absent: `None sends to ${url}.`,
    complain: ({ status, enabled_events: enabled }) => {
      const lacking = enabled.includes('*') ? [] : wanted.filter((type) => !enabled.includes(type));
      return [
        ...(status === 'enabled' ? [] : [['It is switched off.', switchOn] as const]),
        ...(lacking.length === 0
          ? []
          : [[`It does not send ${quoted(lacking)}.`, addThem] as const]),
      ];
    },
    make:
      complainOfReach(survey) ??
      ({
        call: 'v2.core.eventDestinations.create',
        parameters,
        create: (api, options) =>
          api.v2.core.eventDestinations.create(
            { ...parameters, include: [...parameters.include] },
            options,
          ),
      } as const),
  });
  return settled?.webhook_endpoint?.signing_secret;
}

/** Stripe itself sends to addresses of the internet alone. */
function complainOfReach({ config }: Survey): string | undefined {
  const isStripe = new URL(config.stripe.apiBase).hostname.endsWith('stripe.com');
  if (!isStripe || config.issuer.startsWith('https:')) return undefined;
  const url = `${config.issuer}${eventsPath}`;
  return `Stripe does not reach this machine: run \`stripe listen --forward-to ${url}\`, and set TOLLGATE_STRIPE_WEBHOOK_SECRETS to the secret that it shows.`;
}
