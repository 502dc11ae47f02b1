/**
 * How an e-mail looks: one letter, as text and as HTML, so that both say the same. No picture, no font and no address
 * but the one that it is about: nothing is fetched, and nobody is told that it was read.
 */

import { html, raw } from '../../src/web/html.ts';
import type { Brand } from '../layout.ts';
import { contrastText } from '../stylesheet.ts';
import { mailTexts } from './texts.ts';

export interface Letter {
  subject: string;
  /** What lists of e-mails show behind the subject. */
  preheader: string;
  heading: string;
  paragraphs: readonly string[];
  facts?: readonly (readonly [label: string, value: string])[];
  button?: { label: string; url: string };
  /** Below the button. */
  after?: readonly string[];
}

export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
}

const widest = 72;

export function renderMail(letter: Letter, brand: Brand): RenderedMail {
  return { subject: letter.subject, text: asText(letter, brand), html: asHtml(letter, brand) };
}

function asText(letter: Letter, brand: Brand): string {
  const { heading, paragraphs, facts = [], button, after = [] } = letter;
  const blocks = [
    heading,
    ...paragraphs,
    ...(facts.length === 0 ? [] : [facts.map(([label, value]) => `${label}: ${value}`).join('\n')]),
    ...(button === undefined ? [] : [`${button.label}:\n${button.url}`]),
    ...after,
  ];
  const body = blocks.map((block) => block.split('\n').map(wrap).join('\n')).join('\n\n');
  return `${body}\n\n-- \n${small(brand).map(wrap).join('\n')}\n`;
}

function small({ name, support }: Brand): string[] {
  return [
    name,
    mailTexts.why(name),
    ...(support === undefined ? [] : [mailTexts.support(support)]),
  ];
}

/** An address stays whole, however long it is. */
function wrap(line: string): string {
  const lines: string[] = [];
  let present = '';
  for (const word of line.split(' ')) {
    if (present !== '' && present.length + word.length >= widest) {
      lines.push(present);
      present = word;
    } else {
      present = present === '' ? word : `${present} ${word}`;
    }
  }
  return [...lines, present].join('\n');
}

/** Tables, because there are programs from before anything else; the style in each element, because some drop the head. */
function asHtml(letter: Letter, brand: Brand): string {
  const { subject, preheader, heading, paragraphs, facts = [], button, after = [] } = letter;
  const [name = '', ...below] = small(brand);
  const paragraph = (text: string) => html`<p style="margin:0 0 16px">${text}</p>`;
  const document = html`<!doctype html>
    <html lang="${mailTexts.language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <meta
          name="format-detection"
          content="telephone=no, date=no, address=no, email=no, url=no"
        />
        <title>${subject}</title>
        <style>
          ${raw(darkStyle)}
        </style>
      </head>
      <body class="back" style="margin:0;padding:0;background:#f3f4f7;color:#1b1d24;${raw(font)}">
        <div style="display:none;max-height:0;overflow:hidden">${preheader}</div>
        <table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
          <tr>
            <td align="center" style="padding:24px 12px">
              <table
                role="presentation"
                width="100%"
                cellpadding="0"
                cellspacing="0"
                border="0"
                style="max-width:600px"
              >
                <tr>
                  <td style="padding:0 8px 16px;font-size:18px;font-weight:600">${name}</td>
                </tr>
                <tr>
                  <td
                    class="paper line"
                    style="padding:32px 28px 16px;background:#ffffff;border:1px solid #d9dce4;border-radius:12px;font-size:16px;line-height:1.5;overflow-wrap:anywhere"
                  >
                    <h1 style="margin:0 0 16px;font-size:22px;line-height:1.3;font-weight:600">
                      ${heading}
                    </h1>
                    ${paragraphs.map(paragraph)} ${facts.length > 0 && factsOf(facts)}
                    ${button !== undefined && buttonOf(button, brand)} ${after.map(paragraph)}
                  </td>
                </tr>
                <tr>
                  <td
                    class="quiet"
                    style="padding:16px 8px 0;font-size:13px;line-height:1.5;color:#5b6070"
                  >
                    ${below.map((text) => html`<p style="margin:0 0 4px">${text}</p>`)}
                  </td>
                </tr>
              </table>
            </td>
          </tr>
        </table>
      </body>
    </html>`;
  // A line of an e-mail has an end (RFC 5322 §2.1.1), and indentation is of no use to it.
  return document.text.replace(/\n\s+/g, '\n');
}

function factsOf(facts: NonNullable<Letter['facts']>) {
  return html`<table
    cellpadding="0"
    cellspacing="0"
    border="0"
    style="margin:0 0 20px;font-size:16px;line-height:1.5"
  >
    ${facts.map(
      ([label, value]) =>
        html`<tr>
          <th
            scope="row"
            class="quiet"
            align="left"
            valign="top"
            style="padding:0 20px 4px 0;font-weight:400;color:#5b6070;white-space:nowrap"
          >
            ${label}
          </th>
          <td valign="top" style="padding:0 0 4px;font-weight:600;overflow-wrap:anywhere">
            ${value}
          </td>
        </tr>`,
    )}
  </table>`;
}

function buttonOf({ label, url }: NonNullable<Letter['button']>, { accent }: Brand) {
  const ink = contrastText(accent);
  return html`<table
      role="presentation"
      cellpadding="0"
      cellspacing="0"
      border="0"
      style="margin:0 0 20px"
    >
      <tr>
        <td style="background:${accent};border-radius:8px">
          <a
            href="${url}"
            style="display:inline-block;padding:12px 20px;color:${ink};font-weight:600;text-decoration:none"
            >${label}</a
          >
        </td>
      </tr>
    </table>
    <p class="quiet" style="margin:0 0 16px;font-size:13px;color:#5b6070">
      ${mailTexts.address}<br /><a
        class="quiet"
        href="${url}"
        style="color:#5b6070;overflow-wrap:anywhere"
        >${url}</a
      >
    </p>`;
}

const font = 'font-family:system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif';

const darkStyle = `:root{color-scheme:light dark}
@media (prefers-color-scheme:dark){
.back{background:#14151a !important;color:#eceef4 !important}
.paper{background:#1d1f26 !important}
.line{border-color:#363a46 !important}
.quiet{color:#a5aabb !important}
}`;
