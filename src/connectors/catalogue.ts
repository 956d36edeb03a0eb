/** Every connector there is, in the order in which the add form offers them. */
import type { ConnectorDefinition } from './framework.js';
import { gmailConnector } from './gmail/index.js';
import { restConnector } from './rest/index.js';

export const catalogue: readonly ConnectorDefinition[] = [gmailConnector, restConnector];

const byId = new Map(catalogue.map((connector) => [connector.id, connector]));

export function connectorById(id: string): ConnectorDefinition | undefined {
  return byId.get(id);
}
