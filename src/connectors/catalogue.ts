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
    id: 'rest',
    title: 'REST API',
    description: 'Any HTTP API with an OpenAPI document. You pick which operations become functions.',
    load: async () => (await import('./rest/index.js')).restConnector,
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
