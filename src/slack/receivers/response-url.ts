/**
 * Answers go to Slack and nowhere else, whatever address a payload names (shared/RELIABILITY.md, abuse case 22): a
 * foreign `response_url` is dropped before Bolt makes a `respond` of it.
 */
type Body = Record<string, unknown>;

const HOOKS_ORIGIN = 'https://hooks.slack.com';

/** Whether an address is Slack's. A Web API under another name (GovSlack, a playground) has hooks of its own. */
function isOfSlack(address: unknown, apiUrl: URL): boolean {
  if (typeof address !== 'string' || !URL.canParse(address)) return false;
  const { origin, protocol, host } = new URL(address);
  if (origin === HOOKS_ORIGIN) return true;
  return protocol === apiUrl.protocol && [apiUrl.host, `hooks.${apiUrl.host}`].includes(host);
}

/**
 * The payload without addresses that are not Slack's.
 * @param apiUrl base of the Web API in use
 * @param dropped hears of a payload that had some
 */
export function withoutForeignAddresses(body: Body, apiUrl: string, dropped: (body: Body) => void): Body {
  const api = new URL(apiUrl);
  const { response_url: single, response_urls: several, ...rest } = body;
  const given = [...(single ? [single] : []), ...(Array.isArray(several) ? several.map(addressOf) : [])];
  if (given.every((address) => isOfSlack(address, api))) return body;
  dropped(body);
  return rest;
}

function addressOf(entry: unknown): unknown {
  return typeof entry === 'object' && entry !== null ? (entry as Body).response_url : undefined;
}
