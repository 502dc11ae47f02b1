/**
 * Reads of an HTML page what a browser without script needs: forms with their fields and buttons, links,
 * a refresh. Made for our own pages; it is no parser of everything.
 */

export interface Field {
  name: string;
  type: string;
  value: string;
  /** Sent unless somebody changes it: everything but unticked boxes. */
  sent: boolean;
  /** What a list offers. */
  options?: string[];
}

export interface Button {
  /** What stands on it, or what is read aloud. */
  text: string;
  name?: string;
  value: string;
  action?: string;
  method?: string;
}

export interface Form {
  id?: string;
  /** As written; an empty one is the page itself. */
  action: string;
  method: 'GET' | 'POST';
  fields: Field[];
  buttons: Button[];
}

export interface Link {
  href: string;
  text: string;
}

export interface Markup {
  title: string;
  /** What can be read on it. */
  visible: string;
  forms: Form[];
  links: Link[];
  /** Where the page goes by itself. */
  refresh?: string;
}

type Attributes = Record<string, string>;

const named: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};
const maximumLength = 2_000_000;

function decode(text: string): string {
  return text.replace(/&(#x?[\da-f]+|[a-z]+);/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return named[name.toLowerCase()] ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function readAttributes(text: string): Attributes {
  const attributes: Attributes = {};
  const pattern = /([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g;
  for (const [, name = '', double, single, bare] of text.matchAll(pattern)) {
    attributes[name.toLowerCase()] ??= decode(double ?? single ?? bare ?? '');
  }
  return attributes;
}

/** The page while it is read: what is open, and what was found. */
class Reader {
  readonly found: Markup = { title: '', visible: '', forms: [], links: [] };
  private form: Form | undefined;
  private link: Link | undefined;
  private button: Button | undefined;
  private area: Field | undefined;
  private list: Field | undefined;
  private option: { value: string | undefined; text: string; chosen: boolean } | undefined;
  private inTitle = false;

  text(text: string): void {
    if (this.inTitle) this.found.title += text;
    else if (this.area !== undefined) this.area.value += text;
    else if (this.option !== undefined) this.option.text += text;
    else {
      this.found.visible += text;
      if (this.link !== undefined) this.link.text += text;
      if (this.button !== undefined) this.button.text += text;
    }
  }

  open(tag: string, attributes: Attributes): void {
    if (tag === 'title') this.inTitle = true;
    else if (tag === 'meta') this.meta(attributes);
    else if (tag === 'form') this.openForm(attributes);
    else if (tag === 'a') this.openLink(attributes);
    else if (tag === 'input') this.input(attributes);
    else if (tag === 'button') this.openButton(attributes);
    else if (tag === 'img') this.text(attributes.alt ?? '');
    else if (tag === 'textarea') this.area = this.field(attributes, 'textarea', '');
    else if (tag === 'select') this.list = this.field(attributes, 'select', '');
    else if (tag === 'option') this.openOption(attributes);
    else this.text(' ');
  }

  close(tag: string): void {
    if (tag === 'title') this.inTitle = false;
    else if (tag === 'form') this.form = undefined;
    else if (tag === 'a') this.link = undefined;
    else if (tag === 'button') this.button = undefined;
    else if (tag === 'textarea') this.area = undefined;
    else if (tag === 'option') this.closeOption();
    else if (tag === 'select') {
      this.closeOption();
      this.list = undefined;
    } else this.text(' ');
  }

  private meta(attributes: Attributes): void {
    if (attributes['http-equiv']?.toLowerCase() !== 'refresh') return;
    const url = /^\s*[\d.]+\s*[;,]\s*(?:url\s*=\s*)?["']?(.*?)["']?\s*$/i.exec(
      attributes.content ?? '',
    )?.[1];
    if (url !== undefined && url !== '') this.found.refresh = url;
  }

  private openForm(attributes: Attributes): void {
    this.form = {
      action: attributes.action ?? '',
      method: attributes.method?.toLowerCase() === 'post' ? 'POST' : 'GET',
      fields: [],
      buttons: [],
      ...(attributes.id === undefined ? {} : { id: attributes.id }),
    };
    this.found.forms.push(this.form);
  }

  private openLink(attributes: Attributes): void {
    if (attributes.href === undefined) return;
    this.link = { href: attributes.href, text: '' };
    this.found.links.push(this.link);
  }

  /** `form="id"` puts a field into a form elsewhere on the page, which stands before it. */
  private owner(attributes: Attributes): Form | undefined {
    if (attributes.form === undefined) return this.form;
    return this.found.forms.find((form) => form.id === attributes.form);
  }

  private field(attributes: Attributes, type: string, value: string): Field {
    const box = type === 'checkbox' || type === 'radio';
    const sent = !box || attributes.checked !== undefined;
    const field: Field = { name: attributes.name ?? '', type, value, sent };
    const usable = field.name !== '' && attributes.disabled === undefined;
    if (usable) this.owner(attributes)?.fields.push(field);
    return field;
  }

  private input(attributes: Attributes): void {
    const type = attributes.type?.toLowerCase() ?? 'text';
    if (type === 'submit' || type === 'image') {
      this.addButton(attributes, attributes.value ?? 'Submit');
    } else if (type !== 'button' && type !== 'reset') {
      const box = type === 'checkbox' || type === 'radio';
      this.field(attributes, type, attributes.value ?? (box ? 'on' : ''));
    }
  }

  private openButton(attributes: Attributes): void {
    const type = attributes.type?.toLowerCase() ?? 'submit';
    if (type === 'submit') this.button = this.addButton(attributes, '');
  }

  private addButton(attributes: Attributes, text: string): Button | undefined {
    if (attributes.disabled !== undefined) return undefined;
    const button: Button = {
      text: attributes['aria-label'] ?? text,
      value: attributes.value ?? '',
      ...(attributes.name === undefined ? {} : { name: attributes.name }),
      ...(attributes.formaction === undefined ? {} : { action: attributes.formaction }),
      ...(attributes.formmethod === undefined ? {} : { method: attributes.formmethod }),
    };
    this.owner(attributes)?.buttons.push(button);
    return button;
  }

  private openOption(attributes: Attributes): void {
    this.closeOption();
    this.option = {
      value: attributes.value,
      text: '',
      chosen: attributes.selected !== undefined,
    };
  }

  private closeOption(): void {
    const { option, list } = this;
    this.option = undefined;
    if (option === undefined || list === undefined) return;
    const value = option.value ?? collapse(option.text);
    if (option.chosen || list.options === undefined) list.value = value;
    (list.options ??= []).push(value);
  }
}

const collapse = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

export function readMarkup(source: string): Markup {
  const text = source.slice(0, maximumLength);
  const reader = new Reader();
  const pattern =
    /<!--[\s\S]*?-->|<![^>]*>|<(script|style)\b[\s\S]*?<\/\1\s*>|<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|'[^']*'|[^'">])*)>/gi;
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    reader.text(decode(text.slice(end, match.index)));
    end = match.index + match[0].length;
    const [, , slash, tag, attributes] = match;
    if (tag === undefined) continue;
    if (slash === '/') reader.close(tag.toLowerCase());
    else reader.open(tag.toLowerCase(), readAttributes(attributes ?? ''));
  }
  reader.text(decode(text.slice(end)));
  const { found } = reader;
  found.title = collapse(found.title);
  found.visible = collapse(found.visible);
  for (const link of found.links) link.text = collapse(link.text);
  for (const form of found.forms) {
    for (const button of form.buttons) button.text = collapse(button.text);
  }
  return found;
}
