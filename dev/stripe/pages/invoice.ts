/** The page of one invoice, for whoever has its link (`hosted_invoice_url`): `/p/invoice/<id>`. */

import { markup } from '../../look.ts';
import type { StripeSimulator } from '../contract.ts';
import type { Invoice } from '../objects.ts';
import { attempt } from './attempt.ts';
import { cardButtons } from './card_choices.ts';
import { date, money, problem } from './frame.ts';
import type { Reply, Shown, Visit } from './frame.ts';

export function invoicePages({ hostedInvoice }: StripeSimulator) {
  return async ({ method, path, form }: Visit): Promise<Reply | undefined> => {
    const [id = '', ...rest] = path;
    if (id === '' || rest.length > 0) return undefined;
    if (method === 'GET') return invoiceView(hostedInvoice.view(id));
    const card = form.get('card') ?? '';
    const paid = await attempt(() => hostedInvoice.pay(id, { card }));
    return 'trouble' in paid
      ? { ...invoiceView(hostedInvoice.view(id), paid.trouble), status: 402 }
      : { location: `/p/invoice/${id}` };
  };
}

function invoiceView(invoice: Invoice, trouble?: string): Shown {
  const { id, number, status, created, currency, amount_remaining: due } = invoice;
  const title = `Invoice ${number ?? 'draft'}`;
  const rows = invoice.lines.data.map(
    (line) =>
      markup`<tr><td>${line.description ?? ''}</td><td class="amount">${money(line.amount, line.currency)}</td></tr>`,
  );
  const pay =
    status === 'open' || status === 'uncollectible'
      ? markup`<form method="post" action="/p/invoice/${id}"><fieldset><legend>Pay ${money(due, currency)} with</legend>
${cardButtons({ withDebit: false })}</fieldset></form>`
      : markup``;
  return {
    title,
    body: markup`<h1>${title}</h1><p>Of ${date(created)}, <span class="state">${status ?? ''}</span></p>${problem(trouble)}
<table><thead><tr><th scope="col">What</th><th scope="col" class="amount">Amount</th></tr></thead><tbody>${rows}</tbody>
<tfoot><tr><th scope="row">In all</th><td class="amount">${money(invoice.total, currency)}</td></tr></tfoot></table>${pay}`,
  };
}
