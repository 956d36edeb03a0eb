/** Microsoft's own client of Graph, pointed at a loopback server. */
import { Client } from '@microsoft/microsoft-graph-client';
import type { ConnectorDefinition, JsonValue, UpstreamRequest } from '../../src/connectors/framework.js';
import { parsePrivateTargets } from '../../src/net/address-guard.js';
import { prepareRequest } from '../../src/net/request-guard.js';
import { type Comparison, essence, type Recorded } from './recorder.js';

export const AGAINST = '@microsoft/microsoft-graph-client 3.0.7';

/** It sends its token to Microsoft's hosts only, so nothing secret is compared; nor does anything leave loopback. */
export function graphClient(origin: string): Client {
  return Client.init({
    baseUrl: `${origin}/`,
    defaultVersion: 'v1.0',
    authProvider: (done) => done(null, 'fake-token-1'),
  });
}

/** What counts of a request to Graph; of an empty body no type does, and the client names one. */
export function graphEssence(request: Recorded | undefined, body?: Comparison['body']): unknown {
  const typed = (request?.body.byteLength ?? 0) > 0 ? ['content-type'] : [];
  return essence(request, { headers: ['prefer', 'if-match', ...typed], ...(body && { body }) });
}

/** Lets a request pass as the real way out would: inside what the connector may reach, and in plain form. */
export function guarded(connector: ConnectorDefinition, config: Record<string, JsonValue>, origin: string) {
  const allow = connector.egress(config, `${origin}/v1.0`);
  const local = parsePrivateTargets([new URL(origin).host]);
  return (request: UpstreamRequest): UpstreamRequest => {
    prepareRequest(request, allow, local);
    return request;
  };
}
