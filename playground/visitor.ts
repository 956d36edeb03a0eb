/** A browser without a screen, for the demo and for tests: pages, forms, cookies and redirects over plain HTTP. */

export interface Page {
  readonly url: string;
  readonly status: number;
  readonly html: string;
}

interface Form {
  readonly action: string;
  readonly method: string;
  readonly fields: Readonly<Record<string, string>>;
}

const REDIRECTS = 5;

export class Visitor {
  private readonly cookies = new Map<string, Map<string, string>>();

  async open(url: string): Promise<Page> {
    return this.go(url, { method: 'GET' });
  }

  /** Fills in and sends a form of a page: the first one, or the first that contains `having`. */
  async submit(
    page: Page,
    values: Readonly<Record<string, string | readonly string[]>> = {},
    having = '',
  ): Promise<Page> {
    const form = this.form(page, having);
    const body = new URLSearchParams(form.fields);
    for (const [name, value] of Object.entries(values)) {
      body.delete(name);
      for (const each of [value].flat()) body.append(name, each);
    }
    const url = new URL(form.action, page.url);
    if (form.method === 'GET') return this.open(`${url.origin}${url.pathname}?${body}`);
    return this.go(url.href, {
      method: 'POST',
      body: body.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: url.origin },
    });
  }

  /** From now on this site has never set a cookie here. */
  forget(origin: string): void {
    this.cookies.delete(origin);
  }

  private form(page: Page, having: string): Form {
    const found = [...page.html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].find((match) =>
      match[0].includes(having),
    );
    if (!found) throw new Error(`${page.url} (${page.status}) has no form${having ? ` with ${having}` : ''}`);
    const fields: Record<string, string> = {};
    for (const [tag] of (found[2] ?? '').matchAll(/<input\b[^>]*>/gi)) {
      const name = attribute(tag, 'name');
      if (name && attribute(tag, 'type') !== 'checkbox') fields[name] = attribute(tag, 'value') ?? '';
    }
    return {
      action: attribute(found[1] ?? '', 'action') ?? page.url,
      method: (attribute(found[1] ?? '', 'method') ?? 'get').toUpperCase(),
      fields,
    };
  }

  private async go(url: string, init: RequestInit, hops = 0): Promise<Page> {
    const { origin } = new URL(url);
    const jar = this.cookies.get(origin) ?? new Map<string, string>();
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { ...(init.headers as Record<string, string>), ...(cookie ? { cookie } : {}) },
    });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split(/=(.*)/s);
      if (/max-age=0/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    this.cookies.set(origin, jar);
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location && hops < REDIRECTS) {
      await response.arrayBuffer();
      return this.go(new URL(location, url).href, { method: 'GET' }, hops + 1);
    }
    return { url, status: response.status, html: await response.text() };
  }
}

function attribute(tag: string, name: string): string | null {
  const match = new RegExp(`\\b${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(tag);
  const raw = match?.[1] ?? match?.[2] ?? match?.[3];
  return raw === undefined
    ? null
    : raw
        .replaceAll('&quot;', '"')
        .replaceAll('&#39;', "'")
        .replaceAll('&#x27;', "'")
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&amp;', '&');
}

/** The visible words of a page, for the terminal. */
export function wordsOf(page: Page): string {
  return page.html
    .replace(/<(script|style|head)\b[\s\S]*?<\/\1>/gi, '')
    .replace(/<\/(p|h\d|li|div|label|legend|button|dt|dd)>/gi, '\n')
    .replace(/<[^>]+>/g, '')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replace(/[ \t]+/g, ' ')
    .replace(/\s*\n\s*/g, '\n')
    .trim();
}
