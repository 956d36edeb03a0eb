/** Serves the playground's page: a fixed set of files from `playground/web`, read when asked for. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The same folder from the sources and from `dist/`: the one that the package has. */
function webFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, 'playground', 'web');
}

const folder = webFolder();
const files = new Set(readdirSync(folder).filter((name) => extname(name) in TYPES));

/** False when the path is not a file of the page. */
export function servePage(path: string, response: ServerResponse): boolean {
  if (path === '/playground') {
    response.writeHead(302, { location: '/playground/' }).end();
    return true;
  }
  const name = path === '/playground/' ? 'index.html' : path.replace(/^\/playground\//, '');
  if (!files.has(name)) return false;
  response.writeHead(200, {
    'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
  });
  response.end(readFileSync(join(folder, name)));
  return true;
}
