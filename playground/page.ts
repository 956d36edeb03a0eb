/** Serves the playground's page: a fixed set of files from `playground/web`, read when asked for. */
import { readdirSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { projectFile } from './project-file.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const folder = projectFile('playground', 'web');
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
