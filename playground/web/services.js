/** “What to connect”: the services that run beside the playground, and what `/connections add` asks about each. */
import { copyButton, el, fill } from './dom.js';

/** The words are those of the add form and of the page for secrets. `values`: label and place among the services. */
export const SERVICES = [
  {
    id: 'helpdesk',
    title: 'Helpdesk',
    connector: 'REST API',
    auth: 'API key',
    about: 'Four tickets, and operations to read and change them.',
    values: [
      ['OpenAPI document', 'openapi_url'],
      ['Base URL', 'base_url'],
      ['API key', 'api_key'],
    ],
  },
  {
    id: 'google',
    title: 'Google',
    connector: 'Gmail, Google Calendar, Google Drive',
    auth: 'Sign in with Google',
    about:
      'Ada, Ben and Cleo each have mails, two events tomorrow, and a folder “Support FAQ” beside another file.',
    values: [
      ['Client ID', 'client_id'],
      ['Client secret', 'client_secret'],
    ],
  },
  {
    id: 'azure_storage',
    title: 'Azure Storage',
    connector: 'Azure Storage',
    auth: 'Connection string',
    about:
      'Azurite, with a container “reports”. It starts with the first call, and forgets everything at the end.',
    values: [
      ['Account URL', 'account_url'],
      ['Connection string', 'connection_string'],
    ],
  },
  {
    id: 'mcp',
    title: 'MCP server',
    connector: 'MCP server',
    auth: 'No sign-in',
    about:
      'The reference server of the protocol. It starts with the first call; then “Read functions again” shows its tools.',
    values: [['Address', 'url']],
  },
];

/** Addable here as everywhere; what they talk to is not on this machine. */
export const NOTHING_TO_CALL =
  'Slack, Jira, HubSpot, SharePoint, Outlook, Google Search, OpenAI and Firecrawl';

export class ServicesPanel {
  constructor(root, page) {
    this.root = root;
    this.page = page;
  }

  draw() {
    const services = this.page.services();
    if (services === null) return;
    const here = SERVICES.filter(({ id }) => services[id]);
    const away = SERVICES.filter(({ id }) => !services[id]).map(({ title }) => title);
    fill(
      this.root,
      el(
        'div',
        { class: 'services' },
        here.map((service) => this.#service(service, services[service.id])),
      ),
      away.length > 0 &&
        el(
          'p',
          { class: 'services-note' },
          `Not installed here: ${away.join(', ')}. `,
          el('code', {}, 'npm install'),
          ' brings it.',
        ),
      el(
        'p',
        { class: 'services-note' },
        `${NOTHING_TO_CALL} can be added here too, but there is nothing to call.`,
      ),
      el('div', { class: 'step-actions' }, this.#add()),
    );
  }

  #service({ id, title, connector, auth, about, values }, known) {
    const said = (label, text) => el('div', {}, el('dt', {}, label), el('dd', {}, text));
    return el(
      'details',
      { class: 'service', name: 'service', dataset: { service: id } },
      el(
        'summary',
        {},
        el('b', {}, title),
        connector !== title && el('span', { class: 'service-kind' }, connector),
      ),
      el('p', { class: 'service-about' }, about),
      el(
        'dl',
        { class: 'values' },
        said('Connector', connector),
        said('Signs in with', auth),
        values.map(([label, field]) => copied(label, known[field])),
      ),
    );
  }

  #add() {
    const run = () => this.page.compose('/connections add', 'U0ADA');
    return el(
      'button',
      { type: 'button', class: 'button small', on: { click: run } },
      el('code', {}, '/connections add'),
      ' as Ada',
    );
  }
}

function copied(label, value) {
  return el(
    'div',
    {},
    el('dt', {}, label),
    el('dd', {}, el('code', { title: value }, value), copyButton(value, label)),
  );
}
