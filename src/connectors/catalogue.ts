/**
 * Every connector there is, in the order in which the add form offers them. A connector is loaded when it is first
 * used: most workspaces need a few of them.
 */
import type { ConnectorDefinition } from './framework.js';

export interface CatalogueEntry {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly load: () => Promise<ConnectorDefinition>;
}

export const catalogue: readonly CatalogueEntry[] = [
  {
    id: 'gmail',
    title: 'Gmail',
    description: 'Read, write, send and sort mails of a Google account.',
    load: async () => (await import('./gmail/index.js')).gmailConnector,
  },
  {
    id: 'google_calendar',
    title: 'Google Calendar',
    description: 'Read, plan and change events in the calendars of a Google account.',
    load: async () => (await import('./google_calendar/index.js')).googleCalendarConnector,
  },
  {
    id: 'google_drive',
    title: 'Google Drive',
    description: 'Find, read, write, sort and share files of Google Drive and its shared drives.',
    load: async () => (await import('./google_drive/index.js')).googleDriveConnector,
  },
  {
    id: 'slack',
    title: 'Slack',
    description: 'Read, write and organise messages, files and channels of a Slack workspace.',
    load: async () => (await import('./slack/index.js')).slackConnector,
  },
  {
    id: 'jira',
    title: 'Jira',
    description: 'Find, read, write and move issues of a Jira Cloud site.',
    load: async () => (await import('./jira/index.js')).jiraConnector,
  },
  {
    id: 'hubspot',
    title: 'HubSpot',
    description: 'Find, read and write contacts, companies, deals, tickets and their notes and tasks.',
    load: async () => (await import('./hubspot/index.js')).hubspotConnector,
  },
  {
    id: 'sharepoint',
    title: 'SharePoint',
    description: 'Find, read, sort and share files of SharePoint sites, and work with their lists.',
    load: async () => (await import('./sharepoint/index.js')).sharepointConnector,
  },
  {
    id: 'outlook',
    title: 'Outlook',
    description: 'Read, write, send and sort mails of a mailbox, and work with its calendar.',
    load: async () => (await import('./outlook/index.js')).outlookConnector,
  },
  {
    id: 'azure_storage',
    title: 'Azure Storage',
    description: 'Read, write, copy and share blobs of an Azure storage account.',
    load: async () => (await import('./azure_storage/index.js')).azureStorageConnector,
  },
  {
    id: 'google_search',
    title: 'Google Search',
    description: 'Search the web, or chosen sites, with Google.',
    load: async () => (await import('./google_search/index.js')).googleSearchConnector,
  },
  {
    id: 'openai',
    title: 'OpenAI',
    description: 'Let models answer, compare texts, make images and speech, and look after files.',
    load: async () => (await import('./openai/index.js')).openaiConnector,
  },
  {
    id: 'firecrawl',
    title: 'Firecrawl',
    description: 'Read, search and crawl the public web.',
    load: async () => (await import('./firecrawl/index.js')).firecrawlConnector,
  },
  {
    id: 'rest',
    title: 'REST API',
    description: 'Any HTTP API with an OpenAPI document. You pick which operations become functions.',
    load: async () => (await import('./rest/index.js')).restConnector,
  },
  {
    id: 'mcp',
    title: 'MCP server',
    description: 'Any server that speaks MCP. An admin reviews its tools, and again when they change.',
    load: async () => (await import('./mcp/index.js')).mcpConnector,
  },
];

const byId = new Map(catalogue.map((entry) => [entry.id, entry]));

/** The catalogue's line, without loading the connector. @throws Error for an id that is not in the catalogue */
export function catalogueEntry(id: string): CatalogueEntry {
  const entry = byId.get(id);
  if (!entry) throw new Error(`there is no connector ${id}`);
  return entry;
}

/** Modules are kept by Node: only the first use of a connector takes time. @throws as `catalogueEntry` */
export async function loadConnector(id: string): Promise<ConnectorDefinition> {
  return catalogueEntry(id).load();
}
