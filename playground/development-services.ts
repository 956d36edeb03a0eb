/** Services for which programs are installed in development only: Azurite, and the reference server of MCP. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type OnDemand, startOnDemand } from './on-demand.js';

/** Azurite's own name for its account; the key opens nothing but what is in its memory on this machine. */
const ACCOUNT = 'devstoreaccount1';
const ACCOUNT_KEY = Buffer.from('playground-storage-key').toString('base64');

export interface AzureStorage {
  readonly origin: string;
  /** As the connector asks for it. */
  readonly accountUrl: string;
  readonly connectionString: string;
  close(): Promise<void>;
}

export interface McpServer {
  readonly origin: string;
  readonly url: string;
  close(): Promise<void>;
}

const { resolve } = createRequire(import.meta.url);

/** Null where the package is not installed. */
function installed(file: string): string | null {
  try {
    return resolve(file);
  } catch {
    return null;
  }
}

/** @param port 0 for any free one @returns null where Azurite is not installed */
export async function startAzureStorage(port: number): Promise<AzureStorage | null> {
  const path = installed('azurite/dist/src/blob/main.js');
  if (path === null || installed('@azure/storage-blob') === null) return null;
  const service: OnDemand = await startOnDemand(port, {
    path,
    args: ['--inMemoryPersistence', '--silent', '--disableTelemetry', '--skipApiVersionCheck'],
    env: { AZURITE_ACCOUNTS: `${ACCOUNT}:${ACCOUNT_KEY}` },
    prepare: fill,
  });
  return { ...service, ...namesOf(service.origin) };
}

function namesOf(origin: string): { accountUrl: string; connectionString: string } {
  const accountUrl = `${origin}/${ACCOUNT}`;
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${ACCOUNT_KEY};BlobEndpoint=${accountUrl};`;
  return { accountUrl, connectionString };
}

const REPORTS = {
  '2026/october.csv': 'week,tickets,solved\n40,112,108\n41,97,99\n42,121,110\n43,104,106\n',
  '2026/readme.txt':
    'One file for each month. The agent may read them; new ones are written after approval.\n',
};

/** One container with two blobs, so that there is something to read. */
async function fill(origin: string): Promise<void> {
  const { BlobServiceClient } = await import('@azure/storage-blob');
  const client = BlobServiceClient.fromConnectionString(namesOf(origin).connectionString);
  const { containerClient } = await client.createContainer('reports');
  for (const [name, text] of Object.entries(REPORTS)) {
    const blobHTTPHeaders = { blobContentType: name.endsWith('.csv') ? 'text/csv' : 'text/plain' };
    await containerClient.getBlockBlobClient(name).upload(text, Buffer.byteLength(text), { blobHTTPHeaders });
  }
}

/** Over Streamable HTTP. @param port 0 for any free one @returns null where the server is not installed */
export async function startMcpServer(port: number): Promise<McpServer | null> {
  const manifest = installed('@modelcontextprotocol/server-everything/package.json');
  if (manifest === null) return null;
  const path = join(dirname(manifest), 'dist', 'index.js');
  const service = await startOnDemand(port, { path, args: ['streamableHttp'] });
  return { ...service, url: `${service.origin}/mcp` };
}
